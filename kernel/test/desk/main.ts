import { newEvent } from '@kontor/kernel/events';
import { idempotent } from '@kontor/kernel/idempotency';
import { newId } from '@kontor/kernel/ids';
import { problem } from '@kontor/kernel/problem';
import { defineService, isMain, runService, type Call } from '@kontor/kernel/service';

interface Body { word: string; amount: string; day?: string; at?: string }

/** What a test does in the middle of a request. */
export const during: { write: () => Promise<void>; list: () => Promise<void>; uploaded: (bytes: number) => void; get: (id: string) => unknown } = {
  write: async () => undefined, list: async () => undefined, uploaded: () => undefined, get: (noteId) => ({ noteId, word: 'w', at: '2026-01-01T00:00:00Z' }),
};

/** A small service for the kernel's own tests. */
export const options = defineService({
  name: 'desk',
  root: new URL('.', import.meta.url),
  settings: {},
  wire: ({ database }) => ({
    routes: {
      listNotes: async ({ query }: { query: Record<string, unknown> }) => {
        await during.list();
        return { status: 200, body: query };
      },
      writeNote: async ({ body, headers, caller, context }: Omit<Call, 'body'> & { body: Body }) => {
        const { word } = body;
        if (word === 'crash') throw new Error('a fault of ours about DE89370400440532013000');
        if (word === 'refuse') throw problem('invalid_state', 'Not today.');
        return idempotent(database, { key: headers['idempotency-key'], clientId: caller.clientId, operation: 'writeNote', body }, async (tx) => {
          const noteId = newId();
          await during.write();
          const [row] = await database.query<{ at: Date }>('insert into note (note_id, word) values ($1, $2) returning at', [noteId, word], tx);
          await database.query(
            'insert into outbox (id, type, routing_key, event) values ($1, $2, $2, $3)',
            [newId(), 'app.registered', JSON.stringify(newEvent('app.registered', { subject: noteId, source: 'desk', context, data: { appId: noteId, name: word, roles: [] } }))], tx);
          return { status: 201, body: { noteId, word, at: row?.at.toISOString() } };
        });
      },
      uploadNotes: async ({ stream }: Call) => {
        let bytes = 0;
        try {
          for await (const chunk of stream ?? []) {
            bytes += (chunk as Buffer).length;
            if (String(chunk).startsWith('refuse')) throw problem('invalid_state', 'Not this.');
          }
        } finally {
          during.uploaded(bytes);
        }
        return { status: 200, body: `<bytes>${bytes}</bytes>`, headers: { 'Content-Type': 'application/xml' } };
      },
      getLatestNote: async () => ({ status: 200, body: { latest: true } }),
      getNote: async ({ params }: { params: { noteId: string } }) => ({ status: 200, body: during.get(params.noteId) }),
      burnNote: async ({ params }: { params: { noteId: string } }) => {
        const burnt = await database.query('delete from note where note_id = $1 returning 1 as one', [params.noteId]);
        return { status: burnt.length === 1 ? 204 : 202 };
      },
      inventNote: async () => ({ status: 204 }),
    },
    subscriptions: {
      'account.closed': async (event, { tx, emit }) => {
        await database.query('insert into note (note_id, word) values ($1, $2)', [event.data.accountId, 'closed'], tx);
        await emit(newEvent('app.registered', { subject: 'x', source: 'desk', context: { correlationId: event.correlationid, traceparent: event.traceparent }, data: { appId: 'x', name: 'n', roles: [] } }));
        if (event.data.clientId === 'crash') throw new Error('after the effect');
      },
    },
    extend: (app) => {
      app.get('/internal/words', (_request, response) => {
        response.json({ words: [] });
      });
    },
  }),
});

if (isMain(import.meta.url)) await runService(options);
