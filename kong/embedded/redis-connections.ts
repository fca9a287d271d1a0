/** Redis connections of plugins, one for each address: plugins with the same configuration share theirs. */
import type { Logger } from '@kontor/kernel/logger';
import { Redis } from 'ioredis';

/** Where a plugin's Redis is. `timeoutMs` bounds connecting and each command. */
export interface RedisAddress {
  host: string;
  port: number;
  password?: string | undefined;
  username?: string | undefined;
  database?: number | undefined;
  timeoutMs: number;
}

/** Opens connections once and closes them all. */
export interface RedisConnections {
  to(address: RedisAddress): Redis;
  close(): void;
}

/** A command fails at once while there is no connection, so that a plugin can fall back or refuse in time. */
export function redisConnections(logger: Logger): RedisConnections {
  const open = new Map<string, Redis>();
  return {
    to(address) {
      const key = JSON.stringify(address);
      const known = open.get(key);
      if (known) return known;
      const redis = new Redis({
        host: address.host,
        port: address.port,
        ...(address.password ? { password: address.password } : {}),
        ...(address.username ? { username: address.username } : {}),
        db: address.database ?? 0,
        connectTimeout: Math.max(address.timeoutMs, 1000),
        commandTimeout: address.timeoutMs,
        maxRetriesPerRequest: 0,
        enableOfflineQueue: false,
        enableAutoPipelining: true,
        retryStrategy: (attempt) => Math.min(50 * attempt, 500),
      });
      let down = false;
      redis.on('error', (error) => {
        if (!down) logger.warn('the gateway lost its connection to Redis', { error });
        down = true;
      });
      redis.on('ready', () => {
        down = false;
      });
      open.set(key, redis);
      return redis;
    },
    close() {
      for (const redis of open.values()) redis.disconnect();
    },
  };
}
