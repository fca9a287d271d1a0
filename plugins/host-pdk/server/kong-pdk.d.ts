/** The parts of npm kong-pdk 0.6.0 this host uses; its own types describe none of them. */

declare module 'kong-pdk/server.js' {
  interface PluginInstance { executePhase(phase: string, kong: unknown): Promise<void>; resetExpireTs(): void; isExpired(): boolean }
  interface Logger { debug(text: string): void; info(text: string): void; warn(text: string): void; error(text: string): void }
  interface PluginModule { new(config: unknown): PluginInstance }
  class Server {
    constructor(pluginDir: string | undefined, logger: Logger);
    plugins: Map<string, PluginModule>;
    instances: Map<number, PluginInstance>;
    instanceID: number;
    logger: Logger;
    clearExpiredPlugins(ttl?: number): NodeJS.Timeout;
    close(): void;
    GetStatus(): Promise<unknown>;
    StartInstance(given: { Name: string; Config: string }): Promise<{ Id: number }>;
    InstanceStatus(id: number): Promise<unknown>;
    CloseInstance(id: number): Promise<unknown>;
  }
  export = Server;
}

declare module 'kong-pdk/lib/mod.js' {
  export const Module: new(name: string, path: undefined, plugin: unknown) => import('kong-pdk/server.js').PluginModule;
}

declare module 'kong-pdk/lib/pipe.js' {
  interface Pipe { get(): Promise<unknown>; put(value: unknown): void }
  class PipePair { getPair(): [ours: Pipe, theirs: Pipe] }
  export = PipePair;
}

declare module 'kong-pdk/pdk.js' {
  class Pdk { constructor(pipe: unknown); kong: unknown }
  export = Pdk;
}
