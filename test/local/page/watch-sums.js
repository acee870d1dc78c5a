// Runs in the page before its own script: keeps each state of the line that does not add up.
globalThis.wrongSums = [];

const PLACES = ['delivered', 'waiting', 'in flight', 'dead', 'returned', 'lost'];
const number = (place) => Number(document.querySelector(`[data-sum="${place}"]`).textContent.replaceAll(',', ''));

function check() {
  const parts = PLACES.map(number);
  const sum = parts.reduce((one, other) => one + other, 0);
  if (sum !== number('sent') || number('lost') !== 0) wrongSums.push(`${number('sent')} is not ${parts.join(' + ')}`);
}

// An observer is called when all of a step is there, and before it is painted.
document.addEventListener('DOMContentLoaded', () => {
  new MutationObserver(check).observe(document.querySelector('#sum'), { subtree: true, childList: true });
});
