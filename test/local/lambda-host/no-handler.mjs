export const main = async () => 'elsewhere';
