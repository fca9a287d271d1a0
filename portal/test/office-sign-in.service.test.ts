import { expect } from 'chai';
import { staffRepository } from '../src/staff-repository.js';
import { staffWith } from '../src/staff.js';
import { codeOf, officeUnderTest, visitor, type OfficeUnderTest } from './office-under-test.js';
import { signedUp } from './portal-under-test.js';

const REFUSED = 'Username, password or code is not right.';

describe('signing in to the back office', function () {
  this.timeout(60_000);
  let office: OfficeUnderTest;
  before(async () => { office = await officeUnderTest(); });
  after(async () => { await office.stop(); });
  beforeEach(async () => { await office.portal.forgetFailures(); });
  const isIn = async (who: ReturnType<typeof visitor>): Promise<boolean> => (await office.get(who, '/office/consents')).status === 200;

  it('takes password and one-time code, and leads to the page that was wanted', async () => {
    const member = await office.member('compliance-officer');
    const wanted = await office.get(visitor(), '/office/report');
    expect([wanted.status, wanted.headers.get('location')]).deep.equal([303, '/office/sign-in?next=%2Foffice%2Freport']);
    const who = visitor();
    const answer = await office.signIn(who, member, { username: ` ${member.username.toUpperCase()} `, next: '/office/report' });
    expect([answer.status, answer.headers.get('location')]).deep.equal([303, '/office/report']);
    expect(answer.cookies[0]).match(/^office_session=[\w-]{43}; Path=\/office; HttpOnly; SameSite=Lax$/);
    expect(answer.cookies[1]).match(/^office_browser=[\w-]{22}\.[\w-]{43}; Max-Age=15552000; Path=\/office; .*HttpOnly; SameSite=Lax$/);
    expect(await isIn(who)).equal(true);
    expect((await office.signIn(visitor(), member, { next: '//evil.example' })).headers.get('location')).equal('/office/consents');
    const stored = JSON.stringify(await office.portal.service.database.query('select * from staff'));
    expect(stored).not.include(member.password).and.not.include(member.totpSecret);
    expect(stored).include('$argon2id$v=19$m=19456,t=2,p=1$');
  });

  it('refuses with one sentence, whichever factor is wrong, and keeps the username and no secret', async () => {
    const member = await office.member('consent-officer');
    const wrong: Record<string, string>[] = [{ password: 'not his password' }, { code: '000000' }, { username: 'nobody-at-all' }, { password: 'wrong', code: '123456' }];
    for (const fields of wrong) {
      const who = visitor();
      const { status, body } = await office.signIn(who, member, fields);
      expect(status, JSON.stringify(fields)).equal(401);
      expect(body).include(REFUSED).and.include(`value="${fields['username'] ?? member.username}"`).and.not.include(member.password).and.not.include('not his password');
      expect(await isIn(who)).equal(false);
      await office.portal.forgetFailures();
    }
  });

  it('says what is missing next to the field', async () => {
    const { status, body } = await office.post(visitor(), '/office/sign-in', { username: 'ada', password: '', code: ' ' });
    expect(status).equal(400);
    expect(body).include('id="password-error"').and.include('id="code-error"').and.include('value="ada"').and.not.include('id="username-error"');
  });

  it('takes a code once, also of two who send it at the same moment, and none with a wrong password', async () => {
    const member = await office.member('consent-officer');
    const fields = { username: member.username, password: member.password, code: codeOf(member) };
    expect((await office.post(visitor(), '/office/sign-in', { ...fields, password: 'wrong' })).status).equal(401);
    const both = await Promise.all([1, 2].map(() => office.post(visitor(), '/office/sign-in', fields)));
    expect(both.map(({ status }) => status).sort()).deep.equal([303, 401]);
    expect((await office.post(visitor(), '/office/sign-in', fields)).status).equal(401);
  });

  it('closes after five failures for a name from one address, also for the right credentials', async () => {
    const member = await office.member('consent-officer');
    const guesses = await Promise.all(Array.from({ length: 8 }, () => office.signIn(visitor(), member, { code: '000000' })));
    expect(guesses.filter(({ status }) => status === 401)).length(5);
    const right = await office.signIn(visitor(), member);
    expect(right.status).equal(429);
    expect(Number(right.headers.get('retry-after'))).within(1, 900);
    expect((await office.portal.redisKeys()).join()).not.include(member.username);
  });

  it('lets nobody lock a member out of a browser he has signed in with', async () => {
    const [member, other] = [await office.member('consent-officer'), await office.member('consent-officer')];
    const his = await office.signedIn(member);
    for (let i = 0; i < 25; i++) await office.signIn(visitor(), member, { password: 'a guess' });
    expect((await office.signIn(visitor(), member)).status, 'an unknown browser').equal(429);
    const stolen = visitor();
    stolen.cookies.set('office_browser', (await office.signedIn(other)).cookies.get('office_browser')!);
    expect((await office.signIn(stolen, member)).status, 'a browser another member is known by').equal(429);
    const forged = visitor();
    forged.cookies.set('office_browser', 'AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA');
    expect((await office.signIn(forged, member)).status, 'a browser that says so itself').equal(429);
    his.cookies.delete('office_session');
    expect((await office.signIn(his, member)).status).equal(303);
    for (let i = 0; i < 5; i++) await office.signIn(his, member, { password: 'a guess' });
    expect((await office.signIn(his, member)).status, 'five failures in the known browser itself').equal(429);
  });

  it('knows no developer, and a developer\'s session opens nothing here', async () => {
    const developer = await signedUp(office.portal);
    const session = developer.cookie!.split('=')[1]!;
    const who = visitor();
    who.cookies.set('portal_session', session).set('office_session', session);
    expect((await office.get(who, '/office/consents')).headers.get('location')).include('/office/sign-in');
    expect((await office.signIn(visitor(), { username: developer.email, password: developer.password, totpSecret: 'JBSWY3DPEHPK3PXP', id: crypto.randomUUID() })).status).equal(401);
  });

  it('opens nothing of the developers\'', async () => {
    const who = await office.signedIn(await office.member('consent-officer'));
    const session = who.cookies.get('office_session')!;
    for (const cookie of [`office_session=${session}`, `portal_session=${session}`]) {
      expect((await office.portal.ask({ cookie }, 'GET', '/apps')).status).equal(401);
      expect((await office.portal.ask({ cookie }, 'GET', '/try/v1/customers')).status).equal(401);
    }
  });

  it('gives each sign-in a new session and ends it with signing out', async () => {
    const member = await office.member('consent-officer');
    const who = await office.signedIn(member);
    const before = visitor();
    before.cookies.set('office_session', who.cookies.get('office_session')!);
    await office.signIn(who, member);
    expect(await isIn(before), 'the session from before').equal(false);
    const kept = visitor();
    kept.cookies.set('office_session', who.cookies.get('office_session')!);
    expect(await isIn(kept)).equal(true);
    expect((await office.post(who, '/office/sign-out', {})).headers.get('location')).equal('/office/sign-in');
    expect(await isIn(kept)).equal(false);
  });

  it('is over at once for who is removed or gets new credentials', async () => {
    const { database } = office.portal.service;
    const repository = staffRepository(database);
    const staff = staffWith(repository, Buffer.alloc(32, 7));
    const member = await office.member('consent-officer');
    const who = await office.signedIn(member);
    expect(await repository.leave(member.username)).equal(true);
    expect(await isIn(who)).equal(false);
    expect((await office.signIn(visitor(), member)).status).equal(401);
    const renewed = { ...member, ...(await staff.renew(member.username))! };
    expect((await office.signIn(visitor(), member)).status, 'the old credentials').equal(401);
    const again = await office.signedIn(renewed);
    expect(await isIn(again)).equal(true);
    await staff.renew(member.username);
    expect(await isIn(again)).equal(false);
  });

  it('refuses forms of other sites', async () => {
    const member = await office.member('consent-officer');
    const fields = { username: member.username, password: member.password, code: codeOf(member) };
    for (const foreign of [{ 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }, { origin: 'https://evil.example' }] as Record<string, string>[])
      expect((await office.post(visitor(), '/office/sign-in', fields, foreign)).status).equal(400);
  });
});
