/** What the two Lua guards of this host use beyond host-lua/kong.d.ts. */

/** @noSelf */
declare namespace kong {
  const configuration: { pluginservers: { name: string }[] };
}

/** nginx's variables. */
declare interface NginxVariables { request_id: string }
