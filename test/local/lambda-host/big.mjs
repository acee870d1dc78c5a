export const handler = async ({ characters }) => 'x'.repeat(characters);
