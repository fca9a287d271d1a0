/** One handler per operation of openapi.yaml. */
import { newId } from '@kontor/kernel/ids';
import { problem } from '@kontor/kernel/problem';
import type { Routes } from '@kontor/kernel/service';
import { change, close, etagOf, expectVersion, register, type Contact, type Customer, type CustomerStatus, type Identity } from './customer.js';
import type { components, operations } from './openapi.generated.js';
import type { CustomerRepository } from './repository.js';

interface Asker {
  clientId: string;
  roles: readonly string[];
}

export function routes({ customers, now }: { customers: CustomerRepository; now: () => Date }): Routes<operations> {
  /** The customer, if the asker may know of it: its own client, or for reading a compliance officer. */
  const known = async (customerId: string, asker: Asker, officersToo: boolean): Promise<Customer> => {
    const customer = await customers.find(customerId);
    if (!customer) throw problem('customer_not_found', 'There is no customer with this id.');
    const allowed = customer.clientId === asker.clientId || (officersToo && asker.roles.includes('compliance'));
    if (!allowed) throw problem('not_your_resource', 'This customer was registered by another application.');
    return customer;
  };

  const changed = async (
    call: { params: { customerId: string }; headers: { 'If-Match'?: string; 'if-match'?: string }; caller: Asker; context: Parameters<CustomerRepository['change']>[2] },
    rule: (customer: Customer) => Customer,
  ) => {
    await known(call.params.customerId, call.caller, false);
    const customer = await customers.change(call.params.customerId, (found) => {
      expectVersion(found, call.headers['if-match'] ?? call.headers['If-Match']);
      return rule(found);
    }, call.context);
    return answerOf(customer!);
  };

  return {
    async registerCustomer({ headers, body, caller, context }) {
      const customer = register(body as Identity & { contact: Contact }, { id: newId(), clientId: caller.clientId, now: now() });
      return customers.register(customer, {
        key: (headers as Record<string, string | undefined>)['idempotency-key'],
        body,
        context,
        answer: (kept) => {
          const { headers: etag, ...answer } = answerOf(kept);
          return { ...answer, status: 201, headers: { ...etag, Location: `/v1/customers/${kept.id}` } };
        },
      });
    },
    async listCustomers({ query, caller }) {
      const { status, limit, cursor } = query as { status?: CustomerStatus; limit: number; cursor?: string };
      const clientId = caller.roles.includes('compliance') ? undefined : caller.clientId;
      const page = await customers.list({ clientId, status, limit, cursor });
      return { status: 200, body: { data: page.customers.map(onTheWire), nextCursor: page.nextCursor } };
    },
    async getCustomer({ params, caller }) {
      return answerOf(await known(params.customerId, caller, true));
    },
    updateCustomer: (call) => changed(call, (customer) => change(customer, call.body as Partial<Identity> & { contact?: Contact }, now())),
    updateCustomerContact: (call) => changed(call, (customer) => change(customer, { contact: call.body as Contact }, now())),
    updateCustomerIdentity: (call) => changed(call, (customer) => change(customer, call.body as Identity, now())),
    closeCustomer: (call) => changed(call, (customer) => close(customer, now())),
  };
}

function answerOf(customer: Customer): { status: number; body: components['schemas']['Customer']; headers: Record<string, string> } {
  return { status: 200, body: onTheWire(customer), headers: { ETag: etagOf(customer) } };
}

function onTheWire(customer: Customer): components['schemas']['Customer'] {
  return {
    customerId: customer.id,
    status: customer.status,
    name: customer.name,
    birthDate: customer.birthDate,
    nationality: customer.nationality,
    residence: customer.residence,
    contact: customer.contact,
    version: customer.version,
    createdAt: customer.createdAt.toISOString(),
    updatedAt: customer.updatedAt.toISOString(),
  };
}
