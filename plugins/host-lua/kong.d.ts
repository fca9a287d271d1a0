/** The part of Kong's plugin development kit, OpenResty and its Lua libraries that the Lua host uses (Kong 3.9). */

/** Lua results come back as several values. */
type Multi<T extends unknown[]> = LuaMultiReturn<T>;

declare interface KongConsumer { id: string; custom_id?: string; username?: string }

/** A row of oauth2_credentials (has client_id) or keyauth_credentials. */
declare interface KongCredential { id: string; client_id?: string }

/** @noSelf */
declare namespace kong {
  /** Shared by the plugins of one request. */
  const ctx: { shared: Record<string, unknown>; plugin: Record<string, unknown> };

  /** @noSelf */
  namespace request {
    function get_method(): string;
    function get_path(): string;
    function get_header(name: string): string | undefined;
    /** Lower-case names; a repeated header is an array. The second value is `truncated` when there were more. */
    function get_headers(max: number): Multi<[headers: Record<string, string | string[] | boolean>, truncated: string | undefined]>;
    /** The body as a form: a repeated field is an array, one without a value true. Nothing where it is of another type. */
    function get_body(type: string): Multi<[form: Record<string, unknown> | undefined, fault: string | undefined]>;
    function get_uri_captures(): { named: Record<string, string> };
  }
  /** @noSelf */
  namespace client {
    function get_consumer(): KongConsumer | undefined;
    function get_credential(): KongCredential | undefined;
  }
  /** @noSelf */
  namespace router {
    function get_route(): { name?: string } | undefined;
    function get_service(): { name?: string } | undefined;
  }
  /** @noSelf */
  namespace service {
    /** @noSelf */
    namespace request {
      function set_header(name: string, value: string): void;
      function clear_header(name: string): void;
      function set_method(method: string): void;
      function set_path(path: string): void;
    }
  }
  /** @noSelf */
  namespace response {
    function get_status(): number;
    function get_source(): 'service' | 'exit' | 'error';
    function get_header(name: string): string | undefined;
    function get_headers(max: number): Multi<[headers: Record<string, string | string[] | boolean>, truncated: string | undefined]>;
    function set_status(status: number): void;
    function set_header(name: string, value: string): void;
    function clear_header(name: string): void;
    /** nil until the last chunk has arrived. */
    function get_raw_body(): string | undefined;
    function set_raw_body(body: string): void;
    /** Ends the request; nothing after it runs. */
    function exit(status: number, body: string, headers: Record<string, string>): void;
  }
  /** Kong's data access objects and the connection behind them. */
  const db: {
    connector: {
      query(sql: string, operation: 'read' | 'write'): Multi<[rows: { id: string }[] | undefined, fault: string | undefined]>;
      /** The text as an SQL literal, with its quotes. */
      escape_literal(text: string): string;
    };
    oauth2_tokens: KongRows & { select_by_access_token(token: string): Multi<[row: KongToken | undefined, fault: string | undefined]> };
    oauth2_authorization_codes: KongRows;
    oauth2_credentials: { select(key: { id: string }): Multi<[row: { client_id: string } | undefined, fault: string | undefined]> };
  };
  /** @noSelf */
  namespace log {
    function err(...parts: unknown[]): void;
    function set_serialize_value(key: string, value: unknown): void;
  }
}

/** @noSelf */
declare namespace ngx {
  /**
   * `request` is the whole request line, `request_id` 32 random hexadecimal digits.
   * @customName var
   */
  const variables: { request: string; request_id: string };
  /** Cached unix seconds. */
  function time(): number;
  /** What Kong keeps of this request. */
  const ctx: { /** What our plugins keep of it. */ kontor?: unknown; cached_request_headers?: object; /** Unix milliseconds at which it chose an address of the service; absent: it asked none. */ KONG_BALANCER_START?: number };
  /** Unix seconds with milliseconds, cached until update_time. */
  function now(): number;
  function update_time(): void;
  function sleep(seconds: number): void;
  function decode_base64(text: string): string | undefined;
  /** Headers of the answer, in header_filter and before. */
  const header: Record<string, string | string[] | undefined>;
  /** @noSelf */
  namespace req {
    function set_header(name: string, value: string): void;
    function clear_header(name: string): void;
  }
  /** @noSelf */
  namespace thread {
    function spawn<T>(body: () => T): LuaThreadHandle;
    /** Waits for the first of them to end: whether it ended well, then what it returned. */
    function wait(first: LuaThreadHandle, second: LuaThreadHandle): Multi<[ok: boolean, result: unknown]>;
    function kill(handle: LuaThreadHandle): void;
  }
}

/** A table of Kong's. */
declare interface KongRows { 'delete'(key: { id: string }): Multi<[done: boolean | undefined, fault: string | undefined]> }

/** A row of oauth2_tokens. Times in seconds. */
declare interface KongToken { credential: { id: string }; scope?: string; authenticated_userid?: string; created_at: number; expires_in: number }

declare interface LuaThreadHandle { readonly __thread: unique symbol }

/** resty.redis: every call answers a value or nil and an error. */
declare interface RedisConnection {
  set_timeouts(connectMs: number, sendMs: number, readMs: number): void;
  connect(host: string, port: number, options: { pool: string; pool_size: number }): Multi<[ok: unknown, fault: string | undefined]>;
  get_reused_times(): Multi<[times: number | undefined, fault: string | undefined]>;
  auth(password: string): Multi<[ok: unknown, fault: string | undefined]>;
  get(key: string): Multi<[value: unknown, fault: string | undefined]>;
  mget(...keys: string[]): Multi<[values: unknown[] | undefined, fault: string | undefined]>;
  set_keepalive(idleMs: number, size: number): void;
  close(): void;
}

/** ngx.semaphore. */
declare interface Semaphore {
  /** False when nothing was posted for so many seconds. */
  wait(seconds: number): Multi<[ok: boolean | undefined, fault: string | undefined]>;
  post(count: number): void;
}

/** resty.http. */
declare interface HttpClient {
  set_timeouts(connectMs: number, sendMs: number, readMs: number): void;
  request_uri(url: string, options: { method: string; body: string | undefined; headers: Record<string, string>; keepalive_timeout: number; keepalive_pool: number }):
    Multi<[answer: { status: number; body: string | undefined } | undefined, fault: string | undefined]>;
}

/** resty.openssl.pkey. */
declare interface PrivateKey {
  sign(text: string, digest: string, padding: undefined, options: { ecdsa_use_raw: boolean }): Multi<[signature: string | undefined, fault: string | undefined]>;
}

/** resty.lrucache. */
declare interface LruCache<T> {
  get(key: string): T | undefined;
  set(key: string, value: T, seconds: number): void;
}

declare function require(this: void, module: string): unknown;
/** Arguments are handed over rather than closed over: a closure made for each request is never compiled to machine code. */
declare function pcall<A extends unknown[], T>(this: void, body: (this: void, ...given: A) => T, ...given: A): Multi<[ok: boolean, result: T]>;
declare function tostring(this: void, value: unknown): string;
declare function setmetatable<T extends object>(this: void, table: T, metatable: unknown): T;
