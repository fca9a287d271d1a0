/** `npm run gateway -- <command>`. */
import { explain } from '../platform/fault.js';
import { run } from './command-line.js';

// A reader that has seen enough (`| head`) must not end a sync on its way.
process.stdout.on('error', () => undefined);
process.exitCode = await run(process.argv.slice(2), process.env, (line) => console.log(line)).catch((error: unknown) => {
  console.error(explain(error));
  return 1;
});
