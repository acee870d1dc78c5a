/** What Node and the host cost by themselves: every cold figure is over this. */
export async function handler() {
  return { batchItemFailures: [] };
}
