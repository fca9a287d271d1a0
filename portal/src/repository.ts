/** All SQL of the portal. */
import { constraintOf, type Database } from '@kontor/kernel/database';
import { newEvent, type EventContext } from '@kontor/kernel/events';
import { isId } from '@kontor/kernel/ids';
import { appendEvent } from '@kontor/kernel/outbox';
import { problem } from '@kontor/kernel/problem';
import { MOST_APPS, type App, type Developer, type PortalRepository } from './portal.js';

interface AppRow {
  id: string; developer_id: string; name: string; redirect_uri: string; roles: string[]; status: App['status']; created_at: Date; rotated_at: Date | null;
}

const APP = 'id, developer_id, name, redirect_uri, roles, status, created_at, rotated_at';

export function portalRepository(database: Database): PortalRepository {
  return {
    async addDeveloper({ id, email, organisation, passwordHash }) {
      const added = await database.query(
        'insert into developers (id, email, password_hash, organisation) values ($1, $2, $3, $4) on conflict (email) do nothing returning id',
        [id, email, passwordHash, organisation]);
      return added.length === 1;
    },
    async developer(id) {
      const [row] = await database.query<Developer>('select id, email, organisation from developers where id = $1', [id]);
      return row;
    },
    async passwordOf(email) {
      const [row] = await database.query<{ id: string; password_hash: string }>('select id, password_hash from developers where email = $1', [email]);
      return row && { developerId: row.id, passwordHash: row.password_hash };
    },
    startRegistration: (app) => startRegistration(database, app),
    activate: (appId, context) => database.transaction(async (tx) => {
      const [row] = await database.query<AppRow>(
        `update apps set status = 'active', status_since = now() where id = $1 and status = 'registering' returning ${APP}`, [appId], tx);
      if (!row) return false;
      await appendEvent(database, tx, newEvent('app.registered', {
        subject: row.id, source: 'portal', context: as(context, row.id), data: { appId: row.id, name: row.name, roles: row.roles },
      }));
      return true;
    }),
    async apps(developerId) {
      const rows = await database.query<AppRow>(`select ${APP} from apps where developer_id = $1 order by created_at desc`, [developerId]);
      return rows.map(appOf);
    },
    async app(developerId, appId) {
      const [row] = await database.query<AppRow>(`select ${APP} from apps where developer_id = $1 and id = $2`, [developerId, appId]);
      return row && appOf(row);
    },
    async appNames(clientIds) {
      const rows = await database.query<{ id: string; name: string }>('select id, name from apps where id = any ($1::uuid[])', [clientIds.filter(isId)]);
      return new Map(rows.map(({ id, name }) => [id, name]));
    },
    async claimRotation(developerId, appId, seconds) {
      const [row] = await database.query<AppRow>(
        `update apps set rotating_until = now() + make_interval(secs => $3)
         where developer_id = $1 and id = $2 and status = 'active' and (rotating_until is null or rotating_until < now()) returning ${APP}`,
        [developerId, appId, seconds]);
      if (row) return appOf(row);
      const [known] = await database.query(`select 1 from apps where developer_id = $1 and id = $2 and status = 'active'`, [developerId, appId]);
      if (known) throw problem('conflict', 'The secret of this application is being rotated right now.');
      return undefined;
    },
    finishRotation: (appId, context) => database.transaction(async (tx) => {
      await database.query('update apps set rotating_until = null, rotated_at = now() where id = $1', [appId], tx);
      await appendEvent(database, tx, newEvent('app.credentials-rotated', { subject: appId, source: 'portal', context: as(context, appId), data: { appId } }));
    }),
    async releaseRotation(appId) {
      await database.query('update apps set rotating_until = null where id = $1', [appId]);
    },
    async startRemoval(developerId, appId) {
      const rows = await database.query(`update apps set status = 'removing', status_since = now() where developer_id = $1 and id = $2 returning id`, [developerId, appId]);
      return rows.length === 1;
    },
    async giveUp(appId) {
      await database.query(`update apps set status = 'removing', status_since = now() where id = $1`, [appId]);
    },
    async finishRemoval(appId) {
      await database.query(`delete from apps where id = $1 and status = 'removing'`, [appId]);
    },
    async unfinished({ abandonedAfterS, retryAfterS, atMost }) {
      await database.query(
        `update apps set status = 'removing', status_since = now() - make_interval(secs => $2)
         where status = 'registering' and status_since < now() - make_interval(secs => $1)`, [abandonedAfterS, retryAfterS]);
      const rows = await database.query<{ id: string }>(
        `select id from apps where status = 'removing' and status_since <= now() - make_interval(secs => $1) order by status_since limit $2`, [retryAfterS, atMost]);
      return rows.map(({ id }) => id);
    },
  };
}

/** The developer's row is locked, so that two registrations at once cannot both be the last one allowed. */
function startRegistration(database: Database, app: Parameters<PortalRepository['startRegistration']>[0]): Promise<void> {
  return database.transaction(async (tx) => {
    await database.query('select 1 from developers where id = $1 for update', [app.developerId], tx);
    const [count] = await database.query<{ apps: number }>('select count(*)::int as apps from apps where developer_id = $1', [app.developerId], tx);
    if ((count?.apps ?? 0) >= MOST_APPS) throw problem('unprocessable', `You have ${MOST_APPS} applications, the most one developer may have. Delete one first.`);
    await database.query(
      'insert into apps (id, developer_id, request_id, name, redirect_uri, roles) values ($1, $2, $3, $4, $5, $6)',
      [app.id, app.developerId, app.requestId, app.name, app.redirectUri, app.roles], tx,
    ).catch((fault: unknown) => {
      if (constraintOf(fault) === 'apps_request_once')
        throw problem('conflict', 'This form was sent before and the application is registered. Its secret was shown then; rotate it to get a new one.');
      throw fault;
    });
  });
}

/** Events about an app are on behalf of it: the client id of the event is the app's. */
const as = (context: EventContext, appId: string): EventContext => ({ ...context, clientId: appId });

function appOf(row: AppRow): App {
  return {
    id: row.id, developerId: row.developer_id, name: row.name, redirectUri: row.redirect_uri, roles: row.roles,
    status: row.status, createdAt: row.created_at, rotatedAt: row.rotated_at,
  };
}
