/** Kong's request-size-limiting plugin. A body without a declared length is counted while it streams (proxy.ts). */
import { errorAnswer } from '../exchange.js';
import type { PluginDefinition } from '../plugin.js';

interface SizeConfig { allowed_payload_size: number; size_unit: 'megabytes' | 'kilobytes' | 'bytes'; require_content_length: boolean }

const UNITS = { bytes: 1, kilobytes: 1024, megabytes: 1024 * 1024 };

export const requestSizeLimiting: PluginDefinition = {
  name: 'request-size-limiting',
  priority: 951,
  schema: [
    // Kong takes 0 and less, which refuse every body.
    { allowed_payload_size: { type: 'integer', default: 128, between: [1, 2_147_483_647] } },
    { size_unit: { type: 'string', default: 'megabytes', one_of: ['megabytes', 'kilobytes', 'bytes'] } },
    { require_content_length: { type: 'boolean', default: false } },
  ],
  create(entry) {
    const config = entry.config as unknown as SizeConfig;
    const limit = config.allowed_payload_size * UNITS[config.size_unit];
    return {
      access(exchange) {
        const { 'content-length': length, 'transfer-encoding': encoding, expect } = exchange.headers;
        exchange.bodyLimit = limit;
        if (length === undefined) {
          return config.require_content_length && encoding === undefined ? errorAnswer(411, 'A valid Content-Length header is required') : undefined;
        }
        if (Number(length) <= limit) return undefined;
        return errorAnswer(expect?.trim().toLowerCase() === '100-continue' ? 417 : 413, 'Request size limit exceeded');
      },
    };
  },
};
