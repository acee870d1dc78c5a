/**
 * The page's script: reads /state once, then follows /events, step by step; each step is one moment, so the sum adds up in
 * what is shown as it does in the landscape. Whatever comes from outside becomes text, never HTML.
 */

const FIRST_SHOWN = 200;
const PLACES = ['waiting', 'hidden', 'in flight', 'delivered', 'dead', 'returned', 'lost'];
const PAYLOAD_BYTES = 16_384;
/** How long the life of an open message is left as it is while steps come in quick succession. */
const REREAD_MS = 200;

const byId = (id) => document.getElementById(id);
const list = byId('messages');

/** Rows by key, and their keys in the order in which the messages came. */
const rows = new Map();
let keys = [];
/** What is searched in: one line of lower case for each row. */
const haystacks = new Map();
let refused = [];
let figures;
let shownLimit = FIRST_SHOWN;
let place = '';
let openKey;
/** Of each group of a FIFO queue: the message that must go first. */
const heads = new Map();
/** Key → the list item that shows it. */
const items = new Map();

// ---- what the landscape tells

let source;
async function begin() {
  source?.close();
  const response = await fetch('/state');
  const state = await response.json();
  rows.clear();
  haystacks.clear();
  keys = [];
  for (const row of state.messages.toReversed()) take(row);
  refused = state.refused;
  showButtons(state.faults, state.figures.destinations);
  show(state.figures);
  showRefused();
  source = new EventSource(`/events?after=${encodeURIComponent(state.lastId)}`);
  source.addEventListener('open', () => live(true));
  source.addEventListener('error', () => live(false));
  source.addEventListener('reset', () => begin().catch(retry));
  source.addEventListener('step', ({ data }) => {
    const step = JSON.parse(data);
    for (const row of step.messages) take(row);
    if (step.refused.length > 0) {
      refused = [...step.refused.toReversed(), ...refused].slice(0, 500);
      showRefused();
    }
    show(step.figures);
  });
}

/** The landscape is gone, or not yet there. */
function retry() {
  live(false);
  setTimeout(() => begin().catch(retry), 1_000);
}

function take(row) {
  if (!rows.has(row.key)) keys.push(row.key);
  rows.set(row.key, row);
  const { id, destination, by, place: where, outcome, status, token, reason, mplId, contentType, side } = row;
  haystacks.set(
    row.key,
    [id, destination, by, where, outcome, status, token, reason, mplId, contentType, side].join(' ').toLowerCase(),
  );
  if (row.key === openKey) reread();
}

function live(isLive) {
  const word = byId('live');
  word.textContent = isLive ? 'live' : 'not connected, trying again';
  word.classList.toggle('on', isLive);
}

// ---- figures

function show(next) {
  figures = next;
  const { sums, counts, functions, systems } = figures;
  // A filter that has become empty would hide all that came of its messages.
  if (sums[place] === 0) place = '';
  const shownSums = { ...sums, waiting: sums.waiting + sums.hidden };
  for (const element of document.querySelectorAll('[data-sum]')) {
    setText(element, count(shownSums[element.dataset.sum]));
  }
  const counted = [
    sums.hidden === 0 ? '' : `Of those waiting, ${count(sums.hidden)} hidden until the next try.`,
    figures.replayed === 0 ? '' : `Replayed ${count(figures.replayed)}: sent again, counted once.`,
  ];
  setText(byId('counted'), counted.join(' '));
  byId('lost').classList.toggle('some', sums.lost > 0);
  const shown = {
    ...counts,
    visible: sums.waiting,
    hidden: sums.hidden,
    'in flight': sums['in flight'],
    letters: sum(figures.destinations.map(({ letters }) => letters)),
    refused: refused.length,
    environments: functions.queue.environments + functions.webhook.environments,
    coldStarts: functions.queue.coldStarts + functions.webhook.coldStarts,
    invocations: functions.queue.invocations + functions.webhook.invocations,
  };
  for (const element of document.querySelectorAll('[data-figure]')) {
    setText(element, count(shown[element.dataset.figure] ?? 0));
  }
  const busy = functions.queue.busy + functions.webhook.busy;
  setText(byId('busy'), busy === 0 ? 'warm' : `${busy} busy`);
  mark(byId('box-node'), systems.runtimeNode);
  mark(byId('box-authorization'), systems.authorizationServer);
  const active = byId('active');
  if (active.textContent !== figures.faults.join('')) {
    active.replaceChildren(...figures.faults.map((sentence) => make('li', '', sentence)));
  }
  showTime();
  scheduleList();
}

function mark(box, { isUp, delayMs }) {
  box.classList.toggle('down', !isUp);
  box.classList.toggle('slow', isUp && delayMs > 0);
}

/** What changes by time alone. */
function showTime() {
  if (figures === undefined) return;
  const now = Date.now();
  const { nextVisibleAt, token } = figures;
  const nextSeconds = nextVisibleAt === undefined ? undefined : Math.ceil((nextVisibleAt - now) / 1_000);
  setText(
    byId('next'),
    nextSeconds === undefined ? '' : nextSeconds <= 0 ? 'next now' : `next in ${wait(nextSeconds)}`,
  );
  const word = byId('token');
  const meter = byId('token-age');
  if (token === undefined) return;
  const age = Math.max(0, now - token.issuedAt);
  const life = token.expiresAt === undefined ? undefined : token.expiresAt - token.issuedAt;
  const of = life === undefined ? 'without end' : `of ${duration(life)}`;
  setText(word, `${duration(age)} ${of}${token.isVoid ? ', refused' : ''}`);
  word.title = `client ${token.client}`;
  meter.style.width = `${life === undefined ? 0 : Math.min(100, (100 * age) / life)}%`;
  if (token.isVoid) meter.style.width = '100%';
  meter.classList.toggle('void', token.isVoid);
}
function tick() {
  showTime();
  for (const item of items.values()) showWhy(item);
}
setInterval(tick, 1_000);

// ---- messages

let isScheduled = false;
function scheduleList() {
  if (isScheduled) return;
  isScheduled = true;
  requestAnimationFrame(() => {
    isScheduled = false;
    showList();
  });
}

function showList() {
  const words = byId('search').value.toLowerCase().split(/\s+/).filter(Boolean);
  const matching = [];
  let found = 0;
  heads.clear();
  for (let index = keys.length - 1; index >= 0; index -= 1) {
    const key = keys[index];
    const row = rows.get(key);
    if (row.group !== undefined && !(heads.get(row.group)?.turn < row.turn)) heads.set(row.group, row);
    if (place !== '' && row.place !== place) continue;
    if (words.length > 0 && !words.every((word) => haystacks.get(key).includes(word))) continue;
    found += 1;
    if (matching.length < shownLimit) matching.push(key);
  }
  let cursor = list.firstElementChild;
  for (const key of matching) {
    const item = items.get(key) ?? makeItem(key);
    fill(item, rows.get(key));
    showWhy(item);
    if (item === cursor) cursor = cursor.nextElementSibling;
    else list.insertBefore(item, cursor);
  }
  while (cursor !== null) {
    const next = cursor.nextElementSibling;
    items.delete(cursor.key);
    cursor.remove();
    cursor = next;
  }
  setText(byId('count-messages'), count(keys.length));
  byId('empty').hidden = keys.length > 0;
  setText(byId('shown'), keys.length === 0 ? '' : `${count(matching.length)} of ${count(found)} shown`);
  byId('more').hidden = found <= matching.length;
  showPlaces();
}

function makeItem(key) {
  const item = make('li');
  item.key = key;
  const row = make('button', 'row');
  row.type = 'button';
  row.setAttribute('aria-expanded', 'false');
  row.addEventListener('click', () => toggle(key));
  const names = [
    'state',
    'time',
    'destination-name',
    'id',
    'try number',
    'status number',
    'token',
    'ms number',
    'size number',
  ];
  for (const name of names) row.append(make('span', name));
  item.append(row);
  items.set(key, item);
  if (key === openKey) open(item);
  return item;
}

function fill(item, row) {
  if (item.row === row) return;
  item.row = row;
  const [state, time, destination, id, tries, status, token, ms, size] = item.firstChild.children;
  item.dataset.place = row.place;
  // Why a message is hidden: the outcome of its last try.
  setText(state, row.place === 'hidden' && row.outcome !== undefined ? `hidden · ${row.outcome}` : row.place);
  setText(time, clock(row.at));
  setText(destination, row.side === undefined ? row.destination : `${row.destination}, ${row.side} side`);
  destination.title = `by ${row.by}`;
  setText(id, row.id);
  setText(tries, row.tries === 0 ? '' : String(row.tries));
  // Without a token the status is the token endpoint's.
  setText(status, row.status === undefined ? '' : row.token === undefined ? `token ${row.status}` : String(row.status));
  setText(token, row.token ?? '');
  setText(ms, row.durationMs === undefined ? '' : count(row.durationMs));
  setText(size, bytes(row.bytes));
}

/** What a message waits for, and the reason of the last attempt. */
function showWhy({ firstChild, row }) {
  const head = heads.get(row.group) ?? row;
  const { place, reason, visibleAt } = row;
  const words = [];
  if (head !== row) words.push(`behind ${head.id} in its group`);
  else if (visibleAt !== undefined) words.push(nextTry(visibleAt));
  if (place !== 'delivered' && reason !== undefined) words.push(ofOne(reason));
  const why = firstChild.children[9];
  if (words.length === 0) why?.remove();
  else if (why === undefined) firstChild.append(make('span', 'why', words.join(' · ')));
  else setText(why, words.join(' · '));
}

function nextTry(at) {
  const ms = at - Date.now();
  return ms <= 0 ? 'next try now' : `next try at ${clock(at)}, in ${duration(ms)}`;
}

/** The relay's log says it of all the messages that were not tried; here it is told of one. */
function ofOne(reason) {
  return reason.replace('the messages before them', 'the messages before it');
}

function toggle(key) {
  const before = items.get(openKey);
  if (before !== undefined) {
    before.firstChild.setAttribute('aria-expanded', 'false');
    before.lastChild.remove();
  }
  openKey = key === openKey ? undefined : key;
  const item = items.get(openKey);
  if (item !== undefined) open(item);
}

function open(item) {
  item.firstChild.setAttribute('aria-expanded', 'true');
  const life = make('div', 'life');
  life.append(make('p', 'facts', 'reading …'));
  item.append(life);
  showLife(item).catch(retry);
}

let rereading;
function reread() {
  if (rereading !== undefined) return;
  rereading = setTimeout(() => {
    rereading = undefined;
    const item = items.get(openKey);
    if (item !== undefined) showLife(item).catch(retry);
  }, REREAD_MS);
}

async function showLife(item) {
  const { key } = item;
  const response = await fetch(`/messages/${key}`);
  const place = item.querySelector('.life');
  if (key !== openKey || place === null) return;
  if (!response.ok) {
    place.replaceChildren(make('p', 'facts', await response.text()));
    return;
  }
  const { life } = await response.json();
  const row = rows.get(key);
  const facts = make('p', 'facts');
  facts.append(make('code', '', row.id), ` to ${row.destination} by ${row.by}, ${count(row.bytes)} bytes`);
  if (row.contentType !== undefined) facts.append(`, ${row.contentType}`);
  const events = make('ol');
  const opened = [...place.querySelectorAll('details')].map((details) => details.open);
  for (const event of life) events.append(lifeItem(event, event === life[0] ? undefined : life[0].at));
  for (const [index, details] of [...events.querySelectorAll('details')].entries())
    details.open = opened[index] ?? false;
  const payload = place.querySelector('.payload') ?? payloadPart(row.id);
  place.replaceChildren(facts, events, payload);
}

function payloadPart(id) {
  const part = make('div', 'payload');
  const button = make('button', '', 'Show the payload');
  button.type = 'button';
  button.addEventListener('click', async () => {
    const response = await fetch(`/payloads/${encodeURIComponent(id)}?most=${PAYLOAD_BYTES}`);
    const text = await response.text();
    part.replaceChildren(make('pre', '', text));
    if (response.ok && text.length >= PAYLOAD_BYTES)
      part.append(make('p', 'facts', `the first ${bytes(PAYLOAD_BYTES)}`));
  });
  part.append(button);
  return part;
}

function lifeItem(event, begunAt) {
  const [kind, title, ...notes] = TOLD[event.what]?.(event) ?? ['', event.what];
  const item = make('li', kind);
  const offset = make('span', 'offset', begunAt === undefined ? clock(event.at) : `+${duration(event.at - begunAt)}`);
  offset.title = clock(event.at);
  const what = make('div', 'what');
  what.append(make('b', '', title));
  what.append(' ', make('span', 'note', notes.filter((one) => one !== undefined && one !== '').join(' · ')));
  if (event.what === 'call') what.append(headersOf(event));
  item.append(offset, what);
  return item;
}

/** Kind of the event, its title, and notes. */
const TOLD = {
  webhook: ({ method, path, status }) => ['', `${method} ${path}`, `the caller got ${status}`],
  queued: ({ queue, again, bytes: size }) => [
    '',
    again ? 'Sent again' : 'Sent',
    `to the queue ${queue}, ${bytes(size)}`,
  ],
  received: ({ attempt }) => ['busy', `Received, try ${attempt}`],
  'secret read': ({ secret, status }) => [status === 200 ? '' : 'bad', 'Secret read', `${secret}, answered ${status}`],
  'token request': ({ client, status, expiresAt, at, why }) => [
    status === 200 ? 'good' : 'bad',
    status === 200 ? 'New token' : 'Token refused',
    `for the client ${client}, answered ${status}`,
    expiresAt === undefined ? '' : `for ${duration(expiresAt - at)}`,
    why,
  ],
  call: ({ method, path, status, carries, executed, mplIds, durationMs, why, fault, otherBytes }) => [
    status === undefined || status >= 400 ? (status === 401 || status === 403 ? 'late' : 'bad') : 'good',
    `${method} ${path} → ${status ?? 'no answer'}`,
    carries === 'csrf' ? 'fetches a CSRF token' : executed ? 'the flow ran' : 'the flow did not run',
    durationMs === undefined ? '' : `in ${durationMs} ms`,
    mplIds.length === 0 ? '' : `MPL ${mplIds.join(', ')}`,
    why,
    fault,
    otherBytes === true ? 'with other bytes than were sent' : '',
  ],
  attempt: ({
    attempt,
    outcome,
    executed,
    calls,
    durationMs,
    status,
    token,
    tokenAgeMs,
    reason,
    mplId,
    side,
    resent,
  }) => [
    outcome === 'delivered' ? 'good' : outcome === 'failed' ? 'late' : 'bad',
    `The relay says: ${outcome}`,
    `try ${attempt}, ${calls} ${calls === 1 ? 'call' : 'calls'} (CSRF fetches not counted), ${durationMs} ms`,
    `status ${status ?? 'none'}${status !== undefined && token === undefined ? ' of the token endpoint' : ''}`,
    `executed ${executed}`,
    executed === 'unknown' && status >= 400 && mplId === undefined && resent !== true
      ? 'the answer named no MPL id, so the relay cannot know whether the flow ran'
      : '',
    token === undefined
      ? 'without a token'
      : `token ${token}${tokenAgeMs === undefined ? '' : `, ${duration(tokenAgeMs)} old`}`,
    side === undefined ? '' : `${side} side of the cut-over`,
    resent === true ? 'sent again, since the kept connection was dead' : '',
    mplId === undefined ? '' : `MPL ${mplId}`,
    reason,
  ],
  postponed: ({ reason }) => ['late', 'The relay says: postponed', 'no call was made', ofOne(reason)],
  hidden: ({ at, visibleAt }) =>
    visibleAt <= at
      ? ['', 'Visible again', 'the queue hands it out at once']
      : ['late', 'Waits for its next try', `${duration(visibleAt - at)}, until ${clock(visibleAt)}`],
  deleted: () => ['', 'Deleted from the queue'],
  'invocation failed': ({ error }) => ['bad', 'The invocation failed', error],
  letter: ({ queue, reason, outcome, status }) => [
    'bad',
    'Dead letter',
    `in ${queue}${outcome === undefined ? '' : `, ${outcome}`}${status === undefined ? '' : ` ${status}`}`,
    reason,
  ],
  'letter taken': () => ['', 'Letter taken out of the dead-letter queue'],
  gone: ({ how }) => ['bad', how === 'purged' ? 'Purged' : 'Expired', 'it is in no queue any more'],
};

function headersOf({ headers }) {
  const dropped = headers.filter((header) => header.dropped).length;
  const details = make('details');
  details.append(
    make('summary', '', `${headers.length} headers sent${dropped === 0 ? '' : `, ${dropped} of them dropped by SAP`}`),
  );
  const table = make('table');
  for (const { name, value, dropped: isDropped } of headers) {
    const line = make('tr', isDropped ? 'dropped' : '');
    line.append(
      make('td', '', name),
      make('td', '', isDropped ? `${value}  (dropped: not among Allowed Headers)` : value),
    );
    table.append(line);
  }
  details.append(table);
  return details;
}

// ---- find

function showPlaces() {
  const box = byId('places');
  const { sums } = figures;
  const wanted = PLACES.filter((one) => sums[one] > 0);
  const text = wanted.map((one) => `${one} ${sums[one]}`).join();
  if (box.dataset.text === `${text} ${place}`) return;
  box.dataset.text = `${text} ${place}`;
  const focused = document.activeElement?.dataset?.filter;
  const buttons = wanted.map((one) => {
    const button = make('button', '', `${one} ${count(sums[one])}`);
    button.type = 'button';
    button.dataset.filter = one;
    button.setAttribute('aria-pressed', String(one === place));
    button.addEventListener('click', () => {
      place = place === one ? '' : one;
      shownLimit = FIRST_SHOWN;
      showList();
    });
    return button;
  });
  box.replaceChildren(...buttons);
  buttons.find(({ dataset }) => dataset.filter === focused)?.focus();
}

byId('search').addEventListener('input', () => {
  shownLimit = FIRST_SHOWN;
  showList();
});
byId('more').addEventListener('click', () => {
  shownLimit += FIRST_SHOWN;
  showList();
});

document.addEventListener('keydown', (event) => {
  const { target, key } = event;
  const isTyping = target.matches('input, select, textarea');
  if (key === '/' && !isTyping) {
    event.preventDefault();
    byId('search').focus();
  } else if (key === 'Escape' && target === byId('search')) {
    target.value = '';
    showList();
  } else if (key === 'Escape' && openKey !== undefined) {
    const row = items.get(openKey)?.firstChild;
    toggle(openKey);
    row?.focus();
  } else if ((key === 'ArrowDown' || key === 'ArrowUp') && target.matches('.row, #search')) {
    const here = target.closest('li');
    const next =
      here === null
        ? list.firstElementChild
        : key === 'ArrowDown'
          ? here.nextElementSibling
          : here.previousElementSibling;
    if (next === null && here === null) return;
    event.preventDefault();
    (next?.firstChild ?? byId('search')).focus();
  } else if ((key === 'ArrowLeft' || key === 'ArrowRight') && target.matches('[role=tab]')) {
    (target.nextElementSibling ?? target.previousElementSibling).focus();
  }
});

for (const tab of document.querySelectorAll('[role=tab]')) {
  tab.addEventListener('click', () => {
    for (const one of document.querySelectorAll('[role=tab]')) {
      one.setAttribute('aria-selected', String(one === tab));
      byId(one.getAttribute('aria-controls')).hidden = one !== tab;
    }
  });
}

function showRefused() {
  byId('refused').replaceChildren(...refused.slice(0, FIRST_SHOWN).map(refusedItem));
  setText(byId('count-refused'), count(refused.length));
  byId('none-refused').hidden = refused.length > 0;
}

function refusedItem({ at, method, path, status, destination, verify, why }) {
  const item = make('li');
  const request = make('span');
  request.append(make('code', '', `${method} ${path}`));
  if (verify !== undefined) request.append(' ', make('span', 'verify', `${destination ?? ''} · verify: ${verify}`));
  item.append(
    make('span', 'time', clock(at)),
    make('span', 'status', String(status)),
    request,
    make('span', 'why', why),
  );
  return item;
}

// ---- faults

const GROUPS = ['Messages', 'Credentials', 'Outages', 'Answers'];

function showButtons(buttons, destinations) {
  const select = byId('destination');
  const chosen = select.value;
  select.replaceChildren(...destinations.map(({ name }) => new Option(name, name)));
  if (destinations.some(({ name }) => name === chosen)) select.value = chosen;
  const ofGroup = (group) => buttons.filter((button) => button.group === group).map(faultForm);
  byId('mend').replaceChildren(...ofGroup('Mend'));
  byId('buttons').replaceChildren(
    ...GROUPS.flatMap((group) => {
      const grid = make('div', 'pair');
      grid.append(...ofGroup(group));
      return [make('h3', '', group), grid];
    }),
  );
}

function faultForm({ name, title, effect, fields }) {
  const own = fields.filter((field) => field.name !== 'destination').map(fieldInput);
  const part = make('div', own.length === 0 ? 'fault' : 'fault wide');
  const button = make('button', '', title);
  button.type = 'button';
  button.title = effect;
  button.dataset.fault = name;
  for (const tellsOn of ['mouseenter', 'focus']) button.addEventListener(tellsOn, () => say(effect));
  button.addEventListener('click', async () => {
    const pressed = Object.fromEntries(
      own.map((input) => [input.name, input.type === 'number' ? input.valueAsNumber : input.value]),
    );
    if (fields.some((field) => field.name === 'destination')) pressed.destination = byId('destination').value;
    button.disabled = true;
    try {
      await press(name, pressed);
    } finally {
      button.disabled = false;
      button.focus();
    }
  });
  part.append(button, ...own);
  return part;
}

async function press(name, fields) {
  try {
    const response = await fetch(`/faults/${name}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(fields),
    });
    const { done, error } = await response.json();
    say(done ?? error, error !== undefined);
  } catch {
    say('The landscape does not answer.', true);
  }
}

let saidAt = 0;
/** What was done stays long enough to be read before a passing mouse says something else. */
function say(sentence, isWrong) {
  const isDone = isWrong !== undefined;
  if (!isDone && Date.now() - saidAt < 4_000) return;
  if (isDone) saidAt = Date.now();
  const line = byId('done');
  line.textContent = isDone ? `${clock(saidAt)} ${sentence}` : sentence;
  line.classList.toggle('wrong', isWrong === true);
}

const LABELS = { times: 'how many', ms: 'milliseconds', how: 'how', system: 'where', status: 'status' };

function fieldInput({ name, choices, least, most, usual }) {
  const input = make(choices === undefined ? 'input' : 'select');
  input.name = name;
  input.title = LABELS[name];
  input.setAttribute('aria-label', LABELS[name]);
  if (choices === undefined) {
    Object.assign(input, { type: 'number', min: String(least), max: String(most), value: String(usual) });
  } else {
    input.append(...choices.map((choice) => new Option(choice.replace('-', ' '), choice)));
  }
  return input;
}

// ---- words

function make(name, className = '', text = '') {
  const element = document.createElement(name);
  if (className !== '') element.className = className;
  if (text !== '') element.textContent = text;
  return element;
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function sum(numbers) {
  return numbers.reduce((one, other) => one + other, 0);
}

const counting = new Intl.NumberFormat('en');
function count(number) {
  return counting.format(number);
}

function bytes(number) {
  if (number < 10_000) return `${count(number)} B`;
  return number < 1_000_000 ? `${Math.round(number / 1_000)} kB` : `${(number / 1_000_000).toFixed(1)} MB`;
}

function clock(ms) {
  return new Date(ms).toTimeString().slice(0, 8);
}

/** Minutes from two on. */
function wait(seconds) {
  return seconds > 120 ? `${Math.ceil(seconds / 60)} min` : `${seconds} s`;
}

function duration(ms) {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min`;
  return `${Math.floor(ms / 3_600_000)} h`;
}

// On a small screen the messages come first.
byId('faults-details').open = matchMedia('(min-width: 1081px)').matches;
begin().catch(retry);
