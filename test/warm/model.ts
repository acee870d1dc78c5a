/**
 * A warm value under any interleaving of commands, with what must hold after each of them written as exceptions: the
 * commands are plain data, so that fast-check can shrink a run that breaks a rule.
 */
import { type Warm, warm } from '../../functions/warm.ts';

export type Command =
  | { readonly type: 'get' }
  | { readonly type: 'get with signal' }
  | { readonly type: 'abort'; readonly which: number }
  | { readonly type: 'settle'; readonly which: number; readonly as: 'value' | 'failure' }
  | { readonly type: 'forget'; readonly which: number }
  | { readonly type: 'expire' }
  | { readonly type: 'turn' };

interface Value {
  readonly load: number;
}

interface Load {
  readonly number: number;
  readonly signal: AbortSignal;
  readonly settle: (as: 'value' | 'failure') => void;
  settled?: 'value' | 'failure';
}

interface Getter {
  readonly abort?: AbortController;
  /** Values that were forgotten or stale when it asked. */
  readonly barred: ReadonlySet<Value>;
  /** Loads whose failure somebody had been told when it asked. */
  readonly toldBefore: ReadonlySet<number>;
  over: boolean;
}

function rule(holds: boolean, words: string): asserts holds {
  if (!holds) throw new Error(words);
}

/** @throws Error at the first rule that is broken, by its words */
export async function run(commands: readonly Command[]): Promise<void> {
  const loads: Load[] = [];
  const getters: Getter[] = [];
  const known: Value[] = [];
  const barred = new Set<Value>();
  const failed = new Set<number>();
  const told = new Set<number>();
  const broken: unknown[] = [];

  const value: Warm<Value> = warm<Value>({
    isFresh: (candidate) => !stale.has(candidate),
    load: (signal) =>
      new Promise((resolve, reject) => {
        const number = loads.length;
        const running = loads.filter((load) => load.settled === undefined && !load.signal.aborted);
        if (running.length > 0) broken.push(new Error('two loads are in flight'));
        loads.push({
          number,
          signal,
          settle: (as) => (as === 'value' ? resolve({ load: number }) : reject(new Error(`load ${number}`))),
        });
      }),
  });
  const stale = new Set<Value>();

  function get(abort?: AbortController): void {
    const getter: Getter = {
      ...(abort === undefined ? {} : { abort }),
      barred: new Set(barred),
      toldBefore: new Set(told),
      over: false,
    };
    getters.push(getter);
    value
      .get(abort?.signal)
      .then(
        (got) => {
          rule(!getter.barred.has(got), 'a value that was forgotten or stale is handed out');
          rule(loads[got.load]?.settled === 'value', 'a value comes that no load brought');
          if (!known.includes(got)) known.push(got);
        },
        (error: unknown) => {
          if (abort?.signal.aborted === true && error === abort.signal.reason) return;
          const number = Number(/^load (\d+)$/.exec((error as Error).message)?.[1]);
          rule(failed.has(number), 'a failure comes that no load brought');
          rule(!getter.toldBefore.has(number), 'a failure is kept');
          told.add(number);
        },
      )
      .catch((error: unknown) => void broken.push(error))
      .finally(() => {
        getter.over = true;
      });
  }

  function settle(load: Load, as: 'value' | 'failure'): void {
    load.settled = as;
    if (as === 'failure') failed.add(load.number);
    load.settle(as);
  }

  async function turn(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    const waiting = getters.filter(({ over }) => !over).length;
    const running = loads.filter((load) => load.settled === undefined && !load.signal.aborted).length;
    rule(running === (waiting > 0 ? 1 : 0), `${running} loads run for ${waiting} who wait`);
  }

  for (const command of commands) {
    if (command.type === 'get') get();
    else if (command.type === 'get with signal') get(new AbortController());
    else if (command.type === 'abort') {
      const able = getters.filter(({ abort, over }) => abort !== undefined && !over && !abort.signal.aborted);
      able[command.which % able.length]?.abort?.abort(new Error('given up'));
    } else if (command.type === 'settle') {
      // One that was given up may come after all.
      const able = loads.filter(({ settled }) => settled === undefined);
      const load = able[command.which % able.length];
      if (load !== undefined) settle(load, command.as);
    } else if (command.type === 'forget') {
      const old = known[command.which % known.length];
      if (old !== undefined) {
        value.forget(old);
        barred.add(old);
      }
    } else if (command.type === 'expire') {
      for (const old of known) {
        stale.add(old);
        barred.add(old);
      }
    } else await turn();
  }

  await turn();
  for (const load of loads) if (load.settled === undefined) settle(load, 'value');
  await turn();
  rule(
    getters.every(({ over }) => over),
    'somebody waits for ever',
  );
  const [newest] = known.slice(-1);
  for (const old of known) if (old !== newest) value.forget(old);
  if (newest !== undefined && !barred.has(newest) && kept(newest)) {
    const before = loads.length;
    rule((await value.get()) === newest && loads.length === before, 'to forget an old value takes its successor along');
  }
  if (broken.length > 0) throw broken[0];

  /** The newest value is kept if its load was not given up before it came. */
  function kept({ load }: Value): boolean {
    return loads[load]?.signal.aborted === false;
  }
}
