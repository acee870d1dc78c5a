/**
 * `npm start`: builds the relay, starts the local landscape, registers a client as SAP's guide does, runs the main job
 * and then stays up for messages of one's own. `-- --once` ends after the main job; the exit code says whether all arrived.
 */
import { styleText } from 'node:util';
import { build } from '../build/build.ts';
import { Mistake, readStartCommand, type StartCommand } from './command/arguments.ts';
import { ending } from './command/ending.ts';
import { START_MANUAL } from './command/manual.ts';
import { FIRST_PORT, findPorts, portsFrom } from './command/ports.ts';
import { type Deployed, type Landscape, type LocalDestination, startLandscape } from './landscape.ts';
import { createDeliveryLog } from './story/delivery-log.ts';
import { startMonitor } from './story/monitor.ts';
import { orderFlow, STOCK_REQUEST, stockFlow } from './story/payloads.ts';
import { connectSenderAdapters } from './story/sender-adapters.ts';
import { shortLine } from './story/short-line.ts';
import { tellStory } from './story/story.ts';

const { stdout, stderr } = process;
const print = (line: string) => stdout.write(`${line}\n`);
/** Everything listens on loopback only; a command that was saved works tomorrow, too. */
const WEBHOOK_USER = { username: 'legacy', password: 'local' };

const command = readCommand();
if (command !== undefined) process.exitCode = await start(command);

function readCommand(): StartCommand | undefined {
  try {
    const read = readStartCommand(process.argv.slice(2));
    if (read !== 'help') return read;
    stdout.write(START_MANUAL);
  } catch (error) {
    if (!(error instanceof Mistake)) throw error;
    stderr.write(`start: ${error.message}\n`);
    process.exitCode = 2;
  }
  return undefined;
}

async function start({ once, port }: StartCommand): Promise<number> {
  const ended = ending({ signals: process, stdout, stderr, exit: () => process.exit() });
  const interrupted = new Promise<'interrupted'>((resolve) => {
    ended.addEventListener('abort', () => resolve('interrupted'));
  });
  const { ports, taken } = await findPorts(port);
  introduce();
  if (taken !== undefined) print(`Port ${taken} is taken: the landscape is on ${ports.webhooks} and up instead.`);
  if ((await Promise.race([build({ sourcemap: false }), interrupted])) === 'interrupted') return 0;

  const log = createDeliveryLog();
  let follow: (line: string) => void = log.add;
  const landscape = await startLandscape({ environment: 'neo', s3: !once, ports, onOutput: (line) => follow(line) });
  try {
    const orders = landscape.connect({
      name: 'orders',
      flow: { answer: orderFlow },
      webhook: { ...WEBHOOK_USER, mode: 'queued' },
    });
    const stock = landscape.connect({
      name: 'stock',
      flow: { answer: stockFlow },
      webhook: { ...WEBHOOK_USER, mode: 'direct' },
    });
    const sendings = connectSenderAdapters(landscape);
    const deployed = await landscape.deploy({ polling: false, webhookLogLevel: 'DEBUG', httpPort: ports.webhooks });
    const told = tellStory({ landscape, deployed, orders, stock, sendings, webhookUser: WEBHOOK_USER, log, print });
    const complete = await Promise.race([told, interrupted]);
    if (complete === 'interrupted') return 0;
    if (once) return complete ? 0 : 1;

    follow = (line) => {
      log.add(line);
      const short = shortLine(line);
      if (short !== undefined) print(short);
    };
    invite(landscape, deployed, orders);
    // The page: its link is the last line.
    const page = await startMonitor(landscape.runtimeNode, { port: ports.page });
    print(`What has arrived:  ${page.url}`);
    await interrupted;
    await page.stop();
    return complete ? 0 : 1;
  } finally {
    await landscape.stop();
  }
}

function introduce(): void {
  print(styleText('bold', 'token-relay on a local landscape') + styleText('dim', '  (loopback only, Ctrl-C ends it)'));
}

function invite(
  { endpoints, management }: Landscape,
  { httpApi }: Deployed,
  { queue, deadLetterQueue }: LocalDestination,
): void {
  const { username, password } = WEBHOOK_USER;
  const body = JSON.stringify({ QueueUrl: queue.url, MessageBody: '{"order":1}' });
  print('');
  print(
    styleText(
      'bold',
      'Now yours. The landscape stays up and logs each delivery below; copy these into another terminal:',
    ),
  );
  print('');
  print(styleText('dim', '# a message through the queue (or any AWS SDK with this endpoint)'));
  print(
    `curl -s ${endpoints.AWS_ENDPOINT_URL_SQS} -H 'X-Amz-Target: AmazonSQS.SendMessage' -H 'Content-Type: application/x-amz-json-1.0' -d '${body}'`,
  );
  print('');
  const post = (name: string, data: string) =>
    `curl -i ${httpApi.url}/webhooks/${name} -u ${username}:${password} -H 'Content-Type: application/json' -d '${data}'`;
  print(styleText('dim', '# a webhook that is queued: 202 and the message id; it is delivered a moment later'));
  print(post('orders', '{"order":2}'));
  print('');
  print(styleText('dim', "# a webhook that is direct: the flow's own answer"));
  print(post('stock', STOCK_REQUEST));
  print('');
  print(styleText('dim', '# what is wrong, and who must act: the dead letter of the story, if nothing else'));
  const elsewhere = management.server.port === portsFrom(FIRST_PORT).aws ? '' : `AWS_ENDPOINT_URL=${management.url} `;
  print(`${elsewhere}npm run doctor -- --stage local`);
  print('');
  print(styleText('dim', '# the dead letter of the story; --send would put it back'));
  print(
    `AWS_ENDPOINT_URL_SQS=${endpoints.AWS_ENDPOINT_URL_SQS} npm run replay -- --dead-letter-queue ${deadLetterQueue.url} --queue ${queue.url}`,
  );
  print('');
}
