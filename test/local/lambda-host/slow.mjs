import { setTimeout as delay } from 'node:timers/promises';
export const handler = async ({ ms }) => {
  console.log('started');
  await delay(ms);
  return { pid: process.pid };
};
