import { join } from 'node:path';
import { answersOk, nodeProcess, type PlatformContext } from '../platform/processes.js';
import { deckEnvironment, deckFiles, environmentOf, type Gateway } from './gateway.js';

/**
 * The embedded gateway: one process of ours that reads the decK state itself.
 * @param files the state; the bench gives its own
 */
export function embeddedGateway(context: PlatformContext, files: string[] = deckFiles(context.settings.root, environmentOf(context.settings))): Gateway {
  const { settings, stores, tls, secrets } = context;
  const workspace = join(settings.root, 'kong');
  const statusUrl = `http://127.0.0.1:${settings.ports.GATEWAY_STATUS}/readyz`;
  return {
    description: 'the embedded gateway',
    async start(supervisor) {
      const plan = nodeProcess({
        name: 'gateway', cwd: workspace, bundle: join(workspace, 'dist/main.js'), port: settings.ports.GATEWAY_STATUS, heap: 192,
        env: {
          ...deckEnvironment(context),
          DECK_STATE: files.join(','),
          PROXY_HTTP_PORT: String(settings.ports.GATEWAY_HTTP),
          PROXY_HTTPS_PORT: String(settings.ports.GATEWAY_HTTPS),
          ADMIN_PORT: String(settings.ports.GATEWAY_ADMIN),
          TLS_CERT_FILE: tls.certificate,
          TLS_KEY_FILE: tls.key,
          DATABASE_URL: stores.databases.gateway!,
          REDIS_URL: stores.redisUrl,
          GATEWAY_TOKEN_PUBLIC_KEY: secrets.gatewayTokenKeys().publicKey,
          LOG_LEVEL: settings.LOG_LEVEL,
          NODE_EXTRA_CA_CERTS: tls.authority,
        },
      });
      plan.ready = async () => await answersOk(statusUrl) && answersOk(`http://127.0.0.1:${settings.ports.GATEWAY_ADMIN}/status`);
      await supervisor.start(plan);
    },
  };
}
