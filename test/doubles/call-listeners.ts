/** Listeners of a call for tests that look at other things. */
import type { CallListeners } from '../../functions/relay/adapter/adapter.ts';

export const NOT_LISTENING: CallListeners = { onCall: () => undefined, onResend: () => undefined };
