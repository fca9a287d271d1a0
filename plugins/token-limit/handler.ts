import { priorities } from '../priorities.js';

const rateLimiting = require('kong.plugins.rate-limiting.handler') as { access(config: object): void };

/**
 * Kong's rate-limiting under another name, before oauth2: at its own priority (910) it never sees a request to the token endpoint,
 * which oauth2 (1400) answers. Another order of the bundled plugins is for Kong Enterprise only.
 */
export const handler = {
  PRIORITY: priorities['token-limit'],
  VERSION: '1.0.0',

  access(config: object): void {
    rateLimiting.access(config);
  },
};
