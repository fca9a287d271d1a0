/** The account service as it runs in production, but without broker and relay, so that only the request itself is measured. */
import { startService } from '@kontor/kernel/service';
import { options } from '../../services/account/src/main.js';

await startService(options, process.env, { broker: false, relay: false });
