import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { childTraceparent, contextOf, EVENT_TYPES, newEvent, parseEvent, traceIdOf } from '@kontor/kernel/events';
import { isId } from '@kontor/kernel/ids';
import { eventTypes, generateEvents } from '../../scripts/generate/events.js';

const context = { correlationId: 'c-1', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', clientId: 'app-1' };
const closed = () => newEvent('account.closed', { subject: 'a-1', source: 'account', context, data: { accountId: 'a-1', customerId: 'p-1', clientId: 'app-1' } });

describe('events', () => {
  it('have types that are derived from the contract and fresh', async () => {
    for (const [path, content] of await generateEvents())
      expect(await readFile(new URL(`../../${path}`, import.meta.url), 'utf8')).to.equal(content);
    expect(EVENT_TYPES).to.include('payment.settled').and.have.length.above(30);
  });

  it('are CloudEvents that carry request, trace, client and customer', () => {
    const event = closed();
    expect(event).to.include({ specversion: '1.0', type: 'account.closed', source: 'account', subject: 'a-1', correlationid: 'c-1', clientid: 'app-1', customerid: 'p-1', datacontenttype: 'application/json' });
    expect(event.id).to.satisfy(isId);
    expect(parseEvent(JSON.stringify(event))).to.deep.equal(event);
  });

  it('hand their context on: same correlation and trace, a new span', () => {
    const next = contextOf(closed());
    expect(next).to.include({ correlationId: 'c-1', clientId: 'app-1' });
    expect(traceIdOf(next.traceparent)).to.equal(traceIdOf(context.traceparent));
    expect(next.traceparent).to.not.equal(context.traceparent);
  });

  for (const bad of [undefined, '', 'x', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`, `${context.traceparent}\r\nX: y`]) {
    it(`begin a new trace when the given one is ${JSON.stringify(bad)}`, () => {
      expect(childTraceparent(bad)).to.match(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/).and.not.include('0'.repeat(32));
    });
  }

  for (const [why, text] of [
    ['no JSON', '{'], ['null', 'null'], ['an unknown type', JSON.stringify({ ...closed(), type: 'account.painted' })],
    ['no payload', JSON.stringify({ ...closed(), data: null })], ['no correlation', JSON.stringify({ ...closed(), correlationid: undefined })],
  ] as const) {
    it(`are not read from ${why}`, () => expect(() => parseEvent(text)).to.throw());
  }

  it('cannot be derived from a contract with a schema the generator does not know', () => {
    const contract = (payload: string): string => `components: { messages: { a.b: { summary: s, payload: { $ref: '#/components/schemas/P' } } }, schemas: { P: ${payload} } }`;
    expect(eventTypes(contract('{ type: object, required: [x], properties: { x: { type: integer }, y: { type: array, items: { type: string } } } }')))
      .to.include('x: number;').and.include('y?: string[];').and.include("'a.b': P;");
    expect(() => eventTypes(contract('{ oneOf: [] }'))).to.throw('does not know');
  });
});
