import { expect } from 'chai';
import fc from 'fast-check';
import { normalisePath } from '../../kong/embedded/path.js';
import { Router } from '../../kong/embedded/router.js';
import type { Route } from '../../kong/embedded/state.js';

function route(name: string, paths: string[], more: Partial<Route> = {}): Route {
  return { id: name, name, protocols: ['http', 'https'], paths, regexPriority: 0, stripPath: false, preserveHost: false, tags: [], ...more };
}

describe('The router', () => {
  const cases: [what: string, routes: Route[], method: string, path: string, expected: string | undefined][] = [
    ['takes the longer plain prefix', [route('short', ['/a']), route('long', ['/a/b'])], 'GET', '/a/b/c', 'long'],
    ['takes a regex before a plain path', [route('plain', ['/a/b/c']), route('regex', ['~/a/.*'])], 'GET', '/a/b/c', 'regex'],
    ['takes the higher regex_priority', [route('low', ['~/a/.*'], { regexPriority: 1 }), route('high', ['~/a/b'], { regexPriority: 5 })], 'GET', '/a/b', 'high'],
    ['takes methods and path before path alone, even before a regex', [route('regex', ['~/a/b$']), route('method', ['/a'], { methods: ['GET'] })], 'GET', '/a/b', 'method'],
    ['keeps methods apart', [route('get', ['/a'], { methods: ['GET'] }), route('post', ['/a'], { methods: ['POST'] })], 'POST', '/a', 'post'],
    ['knows no other method', [route('get', ['/a'], { methods: ['GET'] })], 'DELETE', '/a', undefined],
    ['anchors a regex at the start', [route('regex', ['~/b'])], 'GET', '/a/b', undefined],
    ['leaves a regex open at the end', [route('regex', ['~/a'])], 'GET', '/a/b', 'regex'],
    ['closes a regex where it says so', [route('regex', ['~/a$'])], 'GET', '/a/', undefined],
    ['minds the case', [route('regex', ['~/v1/payments$'])], 'GET', '/v1/Payments', undefined],
    ['treats a plain path as a prefix of text', [route('plain', ['/bank'])], 'GET', '/bankers', 'plain'],
    ['matches a first segment with a quantifier', [route('regex', ['~/ab?/c'])], 'GET', '/a/c', 'regex'],
    ['matches a group in the first segment', [route('regex', ['~/(v1|v2)/x$'])], 'GET', '/v2/x', 'regex'],
  ];
  for (const [what, routes, method, path, expected] of cases) {
    it(what, () => expect(new Router(routes).match(method, path)?.route.name).to.equal(expected));
  }

  it('gives named captures', () => {
    const match = new Router([route('r', ['~/v1/payments/(?<paymentId>[A-Za-z0-9._~-]{1,128})/status$'])]).match('GET', '/v1/payments/7f/status');
    expect({ ...match!.pathParameters }).to.deep.equal({ paymentId: '7f' });
  });

  it('finds with its table what it finds among any two of the matching routes', () => {
    const segment = fc.constantFrom('a', 'b', 'ab', 'v1', '1');
    const path = fc.array(segment, { maxLength: 4 }).map((parts) => `/${parts.join('/')}`);
    const pattern = fc.oneof(path, path.map((p) => `~${p}$`), path.map((p) => `~${p}/(?<id>[a-z0-9]+)$`), path.map((p) => `~${p}/(a|b)/x`), path.map((p) => `~${p}.*`));
    const routes = fc.array(fc.record({ path: pattern, methods: fc.option(fc.constant(['GET']), { nil: undefined }) }), { minLength: 1, maxLength: 8 });
    fc.assert(fc.property(routes, path, (specs, asked) => {
      const all = specs.map((spec, i) => route(`r${i}`, [spec.path], spec.methods ? { methods: [...spec.methods] } : {}));
      const matching = all.filter((each) => new Router([each]).match('GET', asked));
      const found = new Router(all).match('GET', asked)?.route;
      expect(found === undefined).to.equal(matching.length === 0);
      // The winner wins against each of the others alone, too.
      for (const other of matching) expect(new Router([other, found!]).match('GET', asked)?.route.name).to.equal(found!.name);
    }), { numRuns: 500 });
  });
});

describe('The path that is routed', () => {
  const cases: [raw: string, normal: string | undefined][] = [
    ['/v1/payments', '/v1/payments'],
    ['//v1///payments', '/v1/payments'],
    ['/v1/./payments', '/v1/payments'],
    ['/v1/x/../payments', '/v1/payments'],
    ['/v1/x/%2e%2e/payments', '/v1/payments'],
    ['/v1/%70ayments', '/v1/payments'],
    ['/v1/payments/', '/v1/payments/'],
    ['/v1/payments/.', '/v1/payments/'],
    ['/v1/a%2fb', '/v1/a%2Fb'],
    ['/v1/a%5cb', '/v1/a%5Cb'],
    ['/v1/a\\b', '/v1/a%5Cb'],
    ['/v1/a%252e', '/v1/a%252e'],
    ['/v1/a b', '/v1/a%20b'],
    ['/v1;x=1/payments', '/v1;x=1/payments'],
    ['/', '/'],
    ['/..', undefined],
    ['/../etc', undefined],
    ['/a/../../b', undefined],
    ['/%00', undefined],
    ['/%zz', undefined],
    ['/%2', undefined],
    ['/a#b', undefined],
    ['*', undefined],
    ['http://elsewhere/', undefined],
    ['', undefined],
  ];
  for (const [raw, normal] of cases) {
    it(`of ${JSON.stringify(raw)} is ${JSON.stringify(normal)}`, () => expect(normalisePath(raw)).to.equal(normal));
  }

  it('is its own normal form, whatever came', () => {
    const piece = fc.constantFrom('a', '.', '..', '', '%2e', '%2E%2e', '%2F', 'b%20c', '\\', 'é', '%25', ';', '~');
    fc.assert(fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const once = normalisePath(`/${pieces.join('/')}`);
      if (once === undefined) return;
      expect(normalisePath(once)).to.equal(once);
      expect(once).to.not.match(/\/\/|\/\.\.?(\/|$)/);
      expect(once).to.match(/^\/[\x21-\x7e]*$/);
    }), { numRuns: 2000 });
  });
});
