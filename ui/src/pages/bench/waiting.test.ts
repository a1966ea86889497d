import { describe, expect, it } from 'vitest';
import { batch } from '../../testing/boards';
import { waitingFor } from './waiting';
import type { ServerStatus } from '../../lib/wire';

const dhcp = (state: 'serving' | 'waiting_for_link' | 'stopped'): ServerStatus[] => [
  { server: 'dhcp', state, listen: '192.168.151.1:67 on eth1', since: 0 },
];

describe('an empty bench', () => {
  it('asks for a network card first', () => {
    expect(waitingFor(true, dhcp('stopped'), [], null)).toEqual({ for: 'nic' });
  });
  it('names the card whose cable is missing', () => {
    expect(waitingFor(true, dhcp('waiting_for_link'), [], 'eth1')).toEqual({ for: 'link', nic: 'eth1' });
  });
  it('says that DHCP is stopped', () => {
    expect(waitingFor(true, dhcp('stopped'), [batch()], 'eth1').for).toBe('dhcp');
  });
  it('wants a batch, then its start, then the boards', () => {
    expect(waitingFor(true, dhcp('serving'), [], 'eth1').for).toBe('batch');
    expect(waitingFor(true, dhcp('serving'), [batch({ state: 'pending' })], 'eth1').for).toBe('start');
    expect(waitingFor(true, dhcp('serving'), [batch()], undefined)).toMatchObject({
      for: 'boards',
      nic: 'eth1',
    });
  });
});
