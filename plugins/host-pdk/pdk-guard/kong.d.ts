/** What the two Lua guards of this host use beyond host-lua/kong.d.ts. */

/** @noSelf */
declare namespace ngx {
  let status: number;
  const header: Record<string, string>;
  function print(text: string): void;
  function exit(status: number): void;
}

/** @noSelf */
declare namespace kong {
  /** @noSelf */
  namespace request {
    /** Random, of this request alone. */
    function get_id(): string;
  }
}

/** ngx.semaphore. */
declare interface Semaphore {
  post(count: number): void;
  wait(seconds: number): LuaMultiReturn<[posted: boolean | undefined, fault: string | undefined]>;
}
