import { pluginSchema } from '../plugin.js';

/** Configuration of bian-mapping; all of it derived from the contract's `x-bian`, per route. */
export const schema = pluginSchema('bian-mapping', [
  { serviceDomain: { type: 'string', required: true, description: 'BIAN service domain, e.g. PaymentOrderInitiation' } },
  { controlRecord: { type: 'string', required: true, description: 'name of its control record' } },
  { actionTerm: { type: 'string', required: true, one_of: [
    'Initiate', 'Create', 'Register', 'Evaluate', 'Provide', 'Activate', 'Update', 'Control', 'Exchange', 'Capture',
    'Execute', 'Request', 'Grant', 'Notify', 'Retrieve',
  ] } },
  { behaviorQualifier: { type: 'string', description: 'behaviour qualifier, where the operation has one' } },
  { mapping: { type: 'string', required: true, one_of: ['exact', 'derived', 'none'] } },
  { operationId: { type: 'string', description: 'operationId in BIAN\'s definition of the service domain' } },
  { controlRecordParameter: { type: 'string', description: 'path parameter that names the control record' } },
  { behaviorQualifierParameter: { type: 'string', description: 'path parameter that names the behaviour qualifier' } },
  { alternates: { type: 'array', elements: { type: 'string' }, description: 'service domains the service may answer for instead' } },
  { upstream: { type: 'record', fields: [
    { method: { type: 'string' } },
    { path: { type: 'string', description: 'our path with {parameters}' } },
  ], description: 'on BIAN-shaped routes: the call it becomes' } },
  { release: { type: 'string', required: true, default: '14.0.0' } },
]);
