/** What the two Lua guards of this host use beyond host-lua/kong.d.ts. */

/** @noSelf */
declare namespace ngx {
  let status: number;
  const header: Record<string, string>;
  function print(text: string): void;
  function exit(status: number): void;
}

/** nginx's variables; `request_id` is 16 random bytes in hexadecimal, of this request alone. */
declare interface NginxVariables { request_id: string }

/** @noSelf */
declare namespace kong {
  const configuration: { pluginservers: object[] };
}

/** ngx.semaphore. */
declare interface Semaphore {
  post(count: number): void;
  wait(seconds: number): LuaMultiReturn<[posted: boolean | undefined, fault: string | undefined]>;
}
