import { writeSync } from 'node:fs';
export const handler = async () => {
  console.log('by console.log\nwith two lines');
  process.stdout.write('to stdout\n');
  process.stderr.write('to stderr\n');
  process.stdout.write('x'.repeat(300_000));
  process.stdout.write('\n');
  writeSync(2, 'without a newline');
};
