import { appendFileSync } from 'node:fs';

appendFileSync(process.env.STARTS, 'started\n');
console.log('before the end');
throw new RangeError('bad setting');
