/** A landscape with its page, for tests: closed when the test is finished. */
import { onTestFinished } from 'vitest';
import { createChanges } from '../../../infra/local/facts/waiting.ts';
import type { LocalDestination } from '../../../infra/local/landscape.ts';
import type { Figures } from '../../../infra/local/page/figures.ts';
import type { LifeEvent, MessageRow, RefusedRequest } from '../../../infra/local/page/message.ts';
import { startPage } from '../../../infra/local/page/page.ts';
import { createWatch } from '../../../infra/local/page/watch.ts';
import { type Stage, type StageOptions, setStage, WEBHOOK_USER } from '../../stories/stage.ts';

export interface Opened extends Stage {
  /** Of the page. */
  readonly page: string;
  state(): Promise<State>;
  /** Presses a button by HTTP. */
  press(name: string, fields?: object): Promise<{ status: number; done?: string; error?: string }>;
  lifeOf(row: MessageRow): Promise<readonly LifeEvent[]>;
  /** Ends the page's server, and starts another one at the same address when `away` is over. */
  restartPage(away: () => Promise<void>): Promise<void>;
  /** Resolves as soon as a state holds, now or after a fact. */
  until(fact: string, holds: (state: State) => boolean): Promise<State>;
}

export interface State {
  readonly lastId: string;
  readonly figures: Figures;
  readonly messages: readonly (MessageRow & { readonly behind?: string })[];
  readonly refused: readonly RefusedRequest[];
  readonly faults: readonly { readonly name: string }[];
}

const ORDERS = { name: 'orders', webhook: { ...WEBHOOK_USER, mode: 'queued' as const } };

/** `orders` has a webhook that is queued. */
export async function openPage(options: Partial<StageOptions> = {}): Promise<Opened> {
  let destinations: readonly LocalDestination[] = [];
  const watch = createWatch(() => destinations);
  const stage = await setStage({
    environment: 'neo',
    plans: [ORDERS],
    report: watch.report,
    ...options,
    before: (landscape) => {
      destinations = landscape.destinations;
    },
    deploy: { webhookLogLevel: 'DEBUG', ...options.deploy },
  });
  let page = await startPage({ watch, landscape: stage, deployed: stage.deployed });
  onTestFinished(() => page.stop());
  const changes = createChanges();
  watch.onFact(changes.announce);
  const state = async () => (await (await fetch(`${page.url}/state`)).json()) as State;
  return {
    ...stage,
    page: page.url,
    state,
    async press(name, fields) {
      const response = await fetch(`${page.url}/faults/${name}`, {
        method: 'POST',
        ...(fields === undefined
          ? {}
          : { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(fields) }),
      });
      return { status: response.status, ...((await response.json()) as object) };
    },
    lifeOf: async ({ key }) =>
      ((await (await fetch(`${page.url}/messages/${key}`)).json()) as { life: LifeEvent[] }).life,
    async restartPage(away) {
      await page.stop();
      await away();
      const port = Number(new URL(page.url).port);
      page = await startPage({ watch, landscape: stage, deployed: stage.deployed, port });
    },
    async until(fact, holds) {
      const { promise, resolve, reject } = Promise.withResolvers<State>();
      const look = () => {
        state().then((seen) => {
          if (holds(seen)) resolve(seen);
        }, reject);
      };
      const unsubscribe = changes.subscribe(look);
      const timer = setTimeout(() => reject(new Error(`waited in vain: ${fact}`)), 20_000);
      look();
      return promise.finally(() => {
        unsubscribe();
        clearTimeout(timer);
      });
    },
  };
}

/** What the one line says: all places but `lost` together. */
export function found({ sums }: Figures): number {
  return sums.delivered + sums.waiting + sums.hidden + sums['in flight'] + sums.dead + sums.returned;
}
