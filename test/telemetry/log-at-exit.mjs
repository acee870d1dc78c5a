/** A process that writes lines and ends before they are due: `exit`, `throw`, `flushed`, `many`, `large`. */
import { createLog } from '../../functions/telemetry/log.ts';

const how = process.argv[2];
const logs = Array.from({ length: how === 'many' ? 20 : 1 }, () => createLog({ service: 'token-relay' }));
for (const [index, log] of logs.entries()) {
  log.write('info', `told-${index}`, how === 'large' ? { text: 'ö'.repeat(60_000) } : {});
}
if (how === 'flushed') logs[0].flush();
if (how === 'throw') {
  logs[0].write('warn', 'warned', {});
  setImmediate(() => {
    throw new Error('nobody catches this');
  });
} else process.exit(3);
