import { Redis } from 'ioredis';
import { bytes32, flag, secret, text, url } from '@kontor/kernel/config';
import { sessionsIn } from '@kontor/kernel/sessions';
import { defineService, isMain, runService } from '@kontor/kernel/service';
import { applications as applicationsOf } from './applications.js';
import { readContracts } from './documentation.js';
import { gatewayAdmin, gatewayHealth } from './gateway-admin.js';
import { consentAdministration } from './office-gateway.js';
import { officePages, type OfficeSession } from './office-pages.js';
import { portalPages, type Session } from './pages.js';
import { rolesOfNewApp } from './portal.js';
import { portalRepository } from './repository.js';
import { accounts as accountsOf } from './sign-in.js';
import { staffRepository } from './staff-repository.js';
import { staffSignIn } from './staff-sign-in.js';
import { staffWith } from './staff.js';
import { tryIt } from './try-it.js';

const RECONCILE_EVERY_MS = 15_000;
const SESSION_S = 8 * 60 * 60;
const OFFICE_SESSION_S = 2 * 60 * 60;

const ROOT = new URL('..', import.meta.url);

export const options = defineService({
  name: 'portal',
  root: ROOT,
  settings: {
    REDIS_URL: url({ explain: 'Redis that keeps sessions and counts failed sign-ins' }),
    SANDBOX: flag({ default: false, explain: 'true: new applications may call sandbox operations' }),
    GATEWAY_ADMIN_URL: url({ explain: 'The gateway\'s Admin API, where applications are made known' }),
    GATEWAY_URL: url({ explain: 'The gateway as the portal reaches it, https; the only host operations are tried on' }),
    GATEWAY_PUBLIC_URL: url({ optional: true, explain: 'The gateway as developers reach it; GATEWAY_URL when absent' }),
    PORTAL_ORIGIN: url({ explain: 'Origin of these pages as a browser sees it, e.g. http://localhost:8080' }),
    SESSION_SECRET: secret({ explain: 'Keys what the portal keeps about e-mail addresses and usernames in Redis, and signs the cookies of browsers the staff have used' }),
    OFFICE_CLIENT_ID: text({ explain: 'Client id of the back office at the gateway: an application with the role bank-staff' }),
    OFFICE_CLIENT_SECRET: secret({ explain: 'Secret of that application' }),
    OFFICE_CREDENTIALS_KEY: bytes32({ explain: 'Seals the one-time-code secrets of the bank\'s staff' }),
    NODE_EXTRA_CA_CERTS: text({ optional: true, explain: 'File of the development certificate authority; handed out at /ca.pem' }),
  },
  wire: ({ database, settings, logger }) => {
    const redis = new Redis(settings.REDIS_URL, { maxRetriesPerRequest: 1, commandTimeout: 1000, enableOfflineQueue: true });
    redis.on('error', (error: Error) => logger.warn('redis is away', { error }));
    const portalOrigin = new URL(settings.PORTAL_ORIGIN).origin;
    const secure = portalOrigin.startsWith('https:');
    const repository = portalRepository(database);
    const staff = staffRepository(database);
    const administration = consentAdministration({ gatewayUrl: settings.GATEWAY_URL, clientId: settings.OFFICE_CLIENT_ID, clientSecret: settings.OFFICE_CLIENT_SECRET, logger });
    const sessions = sessionsIn<Session>(redis, { name: 'portal_session', path: '/', lifeS: SESSION_S, secure });
    const applications = applicationsOf({
      repository, gateway: gatewayAdmin(settings.GATEWAY_ADMIN_URL), roles: rolesOfNewApp(settings.SANDBOX), logger,
    });
    const relay = tryIt({ gatewayUrl: settings.GATEWAY_URL, portalOrigin, signedIn: async (request) => (await sessions.read(request)).developerId !== undefined, logger });
    const reconciler = setInterval(() => {
      applications.reconcile().catch((error: Error) => logger.warn('reconciling applications will be tried again', { error }));
    }, RECONCILE_EVERY_MS);
    return {
      ready: { redis: async () => (await redis.ping()) === 'PONG' },
      extend: (app) => {
        app.use('/try', relay.router);
        app.use('/office', officePages({
          root: ROOT, portalOrigin, staff, administration, applicationNames: repository.appNames,
          signIn: staffSignIn(staffWith(staff, settings.OFFICE_CREDENTIALS_KEY), redis, { keySecret: settings.SESSION_SECRET }),
          sessions: sessionsIn<OfficeSession>(redis, { name: 'office_session', path: '/office', lifeS: OFFICE_SESSION_S, secure }),
        }));
        app.use(portalPages({
          root: ROOT, repository, sessions, applications, portalOrigin,
          accounts: accountsOf(repository, redis, { keySecret: settings.SESSION_SECRET }),
          contracts: readContracts(new URL('..', ROOT)),
          health: gatewayHealth(settings.GATEWAY_ADMIN_URL),
          gatewayUrl: (settings.GATEWAY_PUBLIC_URL ?? settings.GATEWAY_URL).replace(/\/$/, ''),
          caFile: settings.NODE_EXTRA_CA_CERTS,
        }));
      },
      stop: async () => {
        clearInterval(reconciler);
        await Promise.all([relay.close(), administration.close()]);
        await redis.quit().catch(() => redis.disconnect());
      },
    };
  },
});

if (isMain(import.meta.url)) await runService(options);
