/** Declares the same proofs for the platform behind each gateway: the embedded one, and Kong with our plugins in Lua. */
import { expect } from 'chai';
import { testServer } from '@kontor/testing/environment';
import type { Answer } from '../gateway/client.js';
import { onEachTarget, type TargetKind } from '../gateway/target.js';
import { startWorld, type World } from './world.js';

/** @param declare gets the world as a function: it is there once the tests run */
export function onEachWorld(title: string, declare: (world: () => World, kind: TargetKind) => void): void {
  onEachTarget(title, (kind) => {
    // The host out of process runs the same cores; what differs there is in tests/gateway and tests/faults.
    if (kind.name.includes('pdk')) return;
    let world: World;
    before(async function () {
      this.timeout(120_000);
      world = await startWorld(kind, { redisUrl: testServer('TEST_REDIS_URL'), amqpUrl: testServer('TEST_AMQP_URL') });
    });
    after(() => world?.stop());
    declare(() => world, kind);
  });
}

/** An attempt that must not pass: what it does, and how it may be refused. */
export type Attempt = [sentence: string, attempt: (world: World) => Promise<Answer>, codes: string | string[]];

/** One test for each attempt. */
export function nonePasses(world: () => World, attempts: readonly Attempt[]): void {
  for (const [sentence, attempt, codes] of attempts) {
    it(sentence, async () => {
      const answer = await attempt(world());
      expect(answer.status, answer.text).to.be.within(400, 499);
      expect(answer.headers['content-type']).to.match(/^application\/problem\+json/);
      expect(answer.body.code, answer.text).to.be.oneOf([codes].flat());
    });
  }
}

/** Refused because its consent has ended: with the reason, or, from two seconds after the end on, because its tokens are gone. */
export function expectEnded(answer: Answer, code: 'consent_revoked' | 'consent_withdrawn' = 'consent_revoked'): void {
  expect((answer.body as { code?: string }).code, answer.text).to.be.oneOf([code, 'invalid_token']);
  expect(answer.status).to.equal((answer.body as { code: string }).code === code ? 403 : 401);
}
