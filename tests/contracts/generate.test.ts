import { expect } from 'chai';
import { derivedFiles } from '../../scripts/generate.js';
import { bianCall, servedBianCalls } from '../../scripts/generate/bian.js';
import type { BianMark, Operation } from '../../scripts/generate/contracts.js';
import { kongPath, urlVariable } from '../../scripts/generate/kong-state.js';

function operation(path: string, bian: Partial<BianMark>): Operation {
  return {
    audience: 'payment', operation: 'sample', method: 'GET', path, summary: '', scopes: [], roles: [], sandbox: false,
    bian: { serviceDomain: 'PaymentOrderInitiation', controlRecord: 'X', actionTerm: 'Retrieve', mapping: 'exact', ...bian },
  };
}

describe('what the contracts give', () => {
  it('is the same, byte for byte, every time', async () => {
    expect([...await derivedFiles()]).to.deep.equal([...await derivedFiles()]);
  });

  it('is a route that matches the operation\'s path and nothing longer, shorter or stranger', () => {
    const path = kongPath('/v1/accounts/{accountId}/transactions/{transactionId}');
    const pattern = new RegExp(`^${path.slice(1)}`);
    expect(pattern.exec('/v1/accounts/a-1/transactions/t_2.~')?.groups).to.deep.equal({ accountId: 'a-1', transactionId: 't_2.~' });
    for (const other of ['/v1/accounts/a/transactions/b/c', '/v1/accounts//transactions/b', '/v1/accounts/a%2fb/transactions/c', `/v1/accounts/${'a'.repeat(129)}/transactions/b`, '/x/v1/accounts/a/transactions/b']) {
      expect(pattern.test(other), other).to.equal(false);
    }
    expect(new RegExp(kongPath('/v1/a.b').slice(1)).test('/v1/aXb')).to.equal(false);
  });

  it('is a BIAN path as BIAN writes it, with our parameter names', () => {
    expect(bianCall(operation('/v1/payments/{paymentId}', {}))).to.include({
      method: 'GET', definedPath: '/PaymentOrderInitiation/{paymentorderinitiationid}/Retrieve', path: '/bian/PaymentOrderInitiation/{paymentId}/Retrieve', operationId: 'Retrieve',
    });
    expect(bianCall(operation('/v1/payments', { actionTerm: 'Initiate' }))).to.include({ method: 'POST', path: '/bian/PaymentOrderInitiation/Initiate' });
    expect(bianCall(operation('/v1/payments/{paymentId}', { actionTerm: 'Update' })).method).to.equal('PUT');
    expect(bianCall(operation('/v1/payments/{paymentId}/status', { behaviorQualifier: 'OrderInitiation' }))).to.include({
      definedPath: '/PaymentOrderInitiation/{paymentorderinitiationid}/OrderInitiation/{orderinitiationid}/Retrieve',
      path: '/bian/PaymentOrderInitiation/{paymentId}/OrderInitiation/{behaviorQualifierId}/Retrieve', operationId: 'RetrieveOrderInitiation',
    });
    expect(bianCall(operation('/v1/accounts/{accountId}/holds', { actionTerm: 'Initiate', behaviorQualifier: 'AmountBlock' })).path)
      .to.equal('/bian/PaymentOrderInitiation/{accountId}/AmountBlock/Initiate');
  });

  it('is a BIAN route for every service domain an operation may answer for, and none where there is no mapping', () => {
    expect(servedBianCalls(operation('/v1/a/{id}', { alternates: ['SavingsAccount'] })).map((call) => call.path)).to.deep.equal([
      '/bian/PaymentOrderInitiation/{id}/Retrieve', '/bian/SavingsAccount/{id}/Retrieve',
    ]);
    expect(servedBianCalls(operation('/v1/a', { mapping: 'none' }))).to.deep.equal([]);
    expect(servedBianCalls(operation('/v1/a/{id}', { path: false }))).to.deep.equal([]);
  });

  it('is a variable for the address of each service', () => {
    expect(urlVariable('payment-rail')).to.equal('DECK_PAYMENT_RAIL_URL');
  });
});
