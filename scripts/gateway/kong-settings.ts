/**
 * Settings of every Kong of the project, wherever it runs: the launcher writes them into kong.conf, the gateway suite into a
 * private Kong. What an installation decides (addresses, database, certificates) is not here.
 * @returns names as in kong.conf
 */
export function commonKongSettings(luaFolder: string, plugins: readonly string[]): Record<string, string> {
  return {
    database: 'postgres',
    plugins: ['bundled', ...plugins].join(','),
    lua_package_path: `${luaFolder}/?.lua;${luaFolder}/?/init.lua;;`,
    admin_gui_listen: 'off',
    anonymous_reports: 'off',
    // Paths carry ids of customers: the access log stays off, access records go to the audit service.
    proxy_access_log: 'off', admin_access_log: 'off', status_access_log: 'off',
    log_level: 'warn',
    // Nobody in front of Kong speaks for a client: the address and scheme of the connection are the truth.
    trusted_ips: '',
    // No version of Kong, no latencies and no id of its own on answers.
    headers: 'off',
    headers_upstream: 'off',
    // Answers nginx itself writes become problems in Kong's error handler; Kong leaves these two out.
    nginx_proxy_error_page: '501 505 /kong_error_handler',
    // A request that reached a service is sent again only where the connection broke before an answer, and never one that
    // may have an effect (nginx: no POST, PATCH). A slow service is asked once.
    nginx_proxy_proxy_next_upstream: 'error',
    nginx_daemon: 'off',
    mem_cache_size: '32m',
  };
}
