// Goes on working after the reply, as code that forgot to await does.
import { appendFileSync } from 'node:fs';

let ticks = 0;
export const handler = async ({ file }) => {
  const before = ticks;
  if (ticks === 0) {
    setInterval(() => {
      ticks += 1;
      appendFileSync(file, 'tick\n');
    }, 1);
  }
  return { ticks: before };
};
