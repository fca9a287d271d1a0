import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { Secret, TOTP } from 'otpauth';
import { testDatabase, type TestDatabase } from '@kontor/testing/database';
import { Fault } from '../platform/fault.js';
import { withStaff } from '../platform/staff.js';
import { carryOut, readCommand } from '../staff/command-line.js';
import type { StaffCredentials } from '../../portal/src/staff.js';

describe('npm run staff', () => {
  let stored: TestDatabase;
  let access: { databaseUrl: string; key: Buffer };
  before(async () => {
    stored = await testDatabase(new URL('../../portal/', import.meta.url));
    access = { databaseUrl: stored.url, key: randomBytes(32) };
  });
  after(async () => { await stored?.drop(); });

  const run = (...words: string[]): Promise<string[]> => withStaff(access, (lent) => carryOut(readCommand(words), lent));
  const faultOf = async (work: () => unknown): Promise<string> => {
    try {
      await work();
    } catch (fault) {
      if (fault instanceof Fault) return fault.message;
      throw fault;
    }
    throw new Error('it was carried out');
  };
  const issued = (lines: string[]): StaffCredentials => {
    const [, , password, totpSecret] = /Username +(\S+)\nPassword +(\S+)\nTOTP secret +(\S+)/.exec(lines.join('\n'))!;
    return { password: password!, totpSecret: totpSecret! };
  };
  const letsIn = (username: string, { password, totpSecret }: StaffCredentials, now = new Date()) => withStaff(access, ({ staff }) =>
    staff.check({ username, password, code: new TOTP({ secret: Secret.fromBase32(totpSecret) }).generate({ timestamp: now.getTime() }), now }));

  it('adds a member, whose credentials let in with the role given', async () => {
    const lines = await run('add', 'ada', '--role=compliance-officer');
    expect(lines.join('\n')).to.match(/otpauth:\/\/totp\/Kontor%20back%20office:ada\?secret=[A-Z2-7]{32}/);
    expect(await letsIn('ada', issued(lines))).to.include({ username: 'ada', role: 'compliance-officer', generation: 1 });
    expect(await faultOf(() => run('add', 'ada', '--role=consent-officer'))).to.include('renew ada');
  });

  it('renews credentials, and removes a member who can be let in again', async () => {
    const first = issued(await run('add', 'grace', '--role=consent-officer'));
    const second = issued(await run('renew', 'grace'));
    expect(await letsIn('grace', first)).to.equal(undefined);
    expect(await letsIn('grace', second)).to.include({ generation: 2 });
    await run('remove', 'grace');
    expect(await letsIn('grace', second, new Date(Date.now() + 60_000))).to.equal(undefined);
    expect((await run('list')).join('\n')).to.match(/grace +consent-officer +[0-9a-f-]{36} +removed 20/);
    expect(await faultOf(() => run('remove', 'grace'))).to.include('nobody');
    expect(await letsIn('grace', issued(await run('renew', 'grace')))).to.include({ role: 'consent-officer' });
    expect(await faultOf(() => run('renew', 'nobody-here'))).to.include('nobody');
  });

  it('sees to it that the sandbox\'s staff have the credentials of sandbox.json, and changes nothing when they do', async () => {
    const member = { username: 'consent-officer', role: 'consent-officer' as const, password: 'a password of the sandbox', totpSecret: new Secret({ size: 20 }).base32 };
    const ensure = (): Promise<void> => withStaff(access, ({ staff }) => staff.ensure(member));
    await ensure();
    await ensure();
    expect(await letsIn('consent-officer', member)).to.include({ generation: 1 });
    await run('renew', 'consent-officer');
    await ensure();
    expect(await letsIn('consent-officer', member)).to.include({ generation: 3 });
    access = { ...access, key: randomBytes(32) };
    await ensure();
    expect(await letsIn('consent-officer', member), 'sealed with a key that is gone').to.include({ generation: 4 });
  });

  it('says what is wrong with a command, with the usage', async () => {
    for (const words of [[], ['promote', 'ada'], ['add'], ['add', 'ada'], ['add', 'ada', '--role=king'], ['add', 'Ada!', '--role=consent-officer'], ['add', 'ada', 'bob', '--role=consent-officer'], ['remove', 'ada', '--role=consent-officer'], ['list', 'ada']])
      expect(await faultOf(() => readCommand(words)), words.join(' ')).to.include('npm run staff -- add <username>');
  });
});
