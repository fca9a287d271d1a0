import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import { Absences, objectIn } from '../host-node/consent-answers.js';

describe('what hosts in Node make of the consent service\'s answers', () => {
  it('remembers for five seconds that a consent does not exist', () => {
    let now = 1_000;
    const absent = new Absences(() => now);
    absent.add('gone');
    expect(absent.has('gone')).to.equal(true);
    expect(absent.has('other')).to.equal(false);
    now = 5_999;
    expect(absent.has('gone')).to.equal(true);
    now = 6_000;
    expect(absent.has('gone')).to.equal(false);
    expect(absent.size).to.equal(0);
  });

  it('stays small under a flood of ids, and keeps the one that is asked for again and again', () => {
    const absent = new Absences(() => 0);
    absent.add('asked for');
    for (let i = 0; i < 20_000; i++) {
      absent.add(randomUUID());
      expect(absent.has('asked for')).to.equal(true);
    }
    expect(absent.size).to.equal(2_000);
  });

  it('takes nothing but an object for an answer', () => {
    expect(objectIn('{"allowed":true}')).to.deep.equal({ allowed: true });
    for (const text of ['true', 'null', '"yes"', '1', '', '{']) expect(objectIn(text), text).to.equal(undefined);
  });
});
