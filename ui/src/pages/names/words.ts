/** How the states of names look. */
import type { NameState } from '../../lib/wire';

export const nameTones: Record<NameState, 'none' | 'work' | 'done'> = {
  available: 'none',
  reserved: 'work',
  assigned: 'done',
  retired: 'none',
  unknown: 'none',
};

/** The states a person can ask for. */
export const nameStates: NameState[] = ['available', 'reserved', 'assigned', 'retired'];
