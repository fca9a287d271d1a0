import { Fault } from '../platform/fault.js';
import type { PlatformContext } from '../platform/processes.js';
import type { Gateway } from './gateway.js';

export async function kongGateway(_context: PlatformContext): Promise<Gateway> {
  throw new Fault('not yet');
}
