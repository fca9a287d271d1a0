/** The entities of a decK state the embedded gateway knows, field by field, with Kong's defaults (3.9). */
import type { Fields } from './schema.js';

const TAGS = { tags: { type: 'array', elements: { type: 'string' }, default: [] } } as const;
const PROTOCOLS = { type: 'array', elements: { type: 'string', one_of: ['http', 'https'] }, default: ['http', 'https'] } as const;
/** Kong: 1 … 2^31 - 2 milliseconds. */
const TIMEOUT = { type: 'integer', default: 60_000, between: [1, 2_147_483_646] } as const;

/** `url` is decK's shorthand for protocol, host, port and path. `routes` and `plugins` are checked on their own. */
export const SERVICE: Fields = [
  { id: { type: 'string' } },
  { name: { type: 'string', required: true } },
  { url: { type: 'string' } },
  { protocol: { type: 'string', one_of: ['http', 'https'] } },
  { host: { type: 'string' } },
  { port: { type: 'integer', between: [1, 65_535] } },
  { path: { type: 'string' } },
  { retries: { type: 'integer', default: 5, between: [0, 32_767] } },
  { connect_timeout: TIMEOUT },
  { write_timeout: TIMEOUT },
  { read_timeout: TIMEOUT },
  { enabled: { type: 'boolean', default: true, only: [true] } },
  TAGS,
];

export const ROUTE: Fields = [
  { id: { type: 'string' } },
  { name: { type: 'string', required: true } },
  { protocols: PROTOCOLS },
  { methods: { type: 'array', elements: { type: 'string', one_of: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT'] } } },
  { paths: { type: 'array', elements: { type: 'string' }, required: true } },
  { regex_priority: { type: 'integer', default: 0, between: [0, 4_294_967_295] } },
  { strip_path: { type: 'boolean', default: true } },
  { preserve_host: { type: 'boolean', default: false } },
  { path_handling: { type: 'string', default: 'v0', only: ['v0'] } },
  { https_redirect_status_code: { type: 'integer', default: 426, only: [426] } },
  { request_buffering: { type: 'boolean', default: true } },
  { response_buffering: { type: 'boolean', default: true } },
  TAGS,
];

/** `config` is checked against the schema of the plugin. */
export const PLUGIN: Fields = [
  { id: { type: 'string' } },
  { name: { type: 'string', required: true } },
  { instance_name: { type: 'string' } },
  { enabled: { type: 'boolean', default: true } },
  { protocols: PROTOCOLS },
  TAGS,
];

/** The top of a file. `_info.select_tags` and `_info.defaults` steer decK itself and mean nothing here. */
export const FILE_KEYS = ['_format_version', '_info', '_plugin_configs', 'services', 'routes', 'plugins'] as const;
