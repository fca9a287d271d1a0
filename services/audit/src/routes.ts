/** One handler per operation of openapi.yaml. */
import { newId } from '@kontor/kernel/ids';
import { problem } from '@kontor/kernel/problem';
import type { Routes } from '@kontor/kernel/service';
import type { AccessFilter, AccessRecords } from './access-records.js';
import type { components, operations } from './openapi.generated.js';
import type { ReadRecord, TrailFilter, TrailRepository } from './repository.js';
import type { AccessRecord } from './trail.js';

export interface RouteNeeds {
  trail: TrailRepository;
  accessRecords: AccessRecords;
  now: () => Date;
}

export function routes({ trail, accessRecords, now }: RouteNeeds): Routes<operations> {
  return {
    async listAuditEvents({ query }) {
      const page = await trail.list(query as TrailFilter);
      return { status: 200, body: { data: page.records.map(onTheWire), nextCursor: page.nextCursor } };
    },
    async getAuditEvent({ params }) {
      const record = await trail.find(params.eventId);
      if (!record) throw problem('audit_event_not_found', 'There is no record with this event id in the trail.');
      return { status: 200, body: onTheWire(record) };
    },
    async verifyAuditChain({ query }) {
      const { expectedPosition: position, expectedHash: hash } = query as { expectedPosition?: number; expectedHash?: string };
      if ((position === undefined) !== (hash === undefined)) throw problem('invalid_request', 'Give expectedPosition and expectedHash together.');
      const proof = await trail.verify(position === undefined || hash === undefined ? undefined : { position, hash });
      const { records, headPosition, firstBreak } = proof;
      return {
        status: 200,
        body: {
          valid: firstBreak === undefined, records, headPosition, headHash: proof.headHash.toString('hex'), verifiedAt: now().toISOString(),
          ...(firstBreak ? { firstBreak } : {}),
        },
      };
    },
    async listAccessRecords({ query }) {
      const page = await accessRecords.list(query as AccessFilter);
      return { status: 200, body: { data: page.records.map(accessOnTheWire), nextCursor: page.nextCursor } };
    },
    async eraseCustomerData({ params, caller, correlationId }) {
      const erasedAt = await trail.erase(params.customerId, { eventId: newId(), clientId: caller.clientId, correlationId, now: now() });
      if (!erasedAt) throw problem('customer_not_found', 'The trail knows no customer with this id.');
      return { status: 200, body: { customerId: params.customerId, erasedAt: erasedAt.toISOString() } };
    },
  };
}

function onTheWire(record: ReadRecord): components['schemas']['AuditEvent'] {
  const { subject: _subject, personal: _personal, ciphertext: _ciphertext, opened, data, previousHash, hash, ...plain } = record;
  return {
    ...plain,
    data: JSON.parse(data) as Record<string, unknown>,
    personalData: opened,
    previousHash: previousHash.toString('hex'),
    hash: hash.toString('hex'),
  };
}

function accessOnTheWire(record: AccessRecord): components['schemas']['AccessRecord'] {
  const { correlationId: _correlationId, ...wire } = record;
  return wire;
}
