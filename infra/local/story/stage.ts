/** What the story plays on: its destinations, the flows behind them, and how one sends to it afterwards. */
import type { Folder } from '../config/folder.ts';
import type { Deployed, Landscape, LocalDestination } from '../landscape.ts';
import { orderFlow, PAYLOADS, STOCK_REQUEST, stockFlow } from './payloads.ts';
import { connectSenderAdapters } from './sender-adapters.ts';
import type { Stage } from './story.ts';

/** Always the same, so that a command that was saved works tomorrow; everything listens on loopback alone. */
const USER = { username: 'legacy', password: 'local-only' };

export type Prepared = Omit<Stage, 'deployed' | 'log' | 'print' | 'signal'>;

export function prepareStory(landscape: Landscape): Prepared {
  const { connect } = landscape;
  return {
    landscape,
    orders: connect({ name: 'orders', flow: { answer: orderFlow }, webhook: { ...USER, mode: 'queued' } }),
    stock: connect({ name: 'stock', flow: { answer: stockFlow }, webhook: { ...USER, mode: 'direct' } }),
    sendings: connectSenderAdapters(landscape),
    webhookUser: USER,
  };
}

/** @returns lines to copy into another terminal */
export async function inviteToStory(
  { orders, stock }: Pick<Prepared, 'orders' | 'stock'>,
  { httpApi }: Deployed,
  folder: Folder,
): Promise<string[]> {
  const order = await folder.write('orders.payload.json', PAYLOADS.json.bytes.toString());
  const request = await folder.write('stock.payload.json', `${STOCK_REQUEST}\n`);
  const secret = await folder.write('webhook.secret', `${JSON.stringify(USER)}\n`);
  const webhook = ({ name }: LocalDestination, data: string) =>
    folder.write(
      `${name}.webhook`,
      `--url ${httpApi.url}/webhooks/${name}\n--verify basic\n--secret @${secret}\n--data @${data}\n`,
    );
  const files = [
    await folder.write('orders.queue', `--queue ${orders.queue.url}\n--data @${order}\n`),
    await webhook(stock, request),
  ];
  await webhook(orders, order);
  return files.map((file) => `  npm run send -- @${file}`);
}
