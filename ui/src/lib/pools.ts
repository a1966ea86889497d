/** How many names pools hold. */
import type { NameState, PoolCount } from './wire';

/** The names of these pools, or those of them in one state. */
export const namesIn = (pools: PoolCount[], state?: NameState) =>
  pools.reduce((sum, pool) => (state && pool.state !== state ? sum : sum + pool.count), 0);
