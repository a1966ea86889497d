/** The boards of a batch: the newest deployment of each, with what is live of it. */
import type { Board, Deployment, Stage } from '../../lib/wire';

export interface Row {
  id: string;
  hostname: string;
  stage: Stage;
  deployment: Deployment;
}

/** `deployments` come newest first. */
export function rowsOf(deployments: Deployment[], live: (id: string) => Board | undefined): Row[] {
  const newest = new Map<string, Deployment>();
  for (const one of deployments) if (!newest.has(one.board)) newest.set(one.board, one);
  const numeric = new Intl.Collator(undefined, { numeric: true });
  return [...newest.values()]
    .map((deployment) => {
      const board = live(deployment.board);
      const now = board?.deployment === deployment.id ? board : undefined;
      return {
        id: deployment.board,
        hostname: now?.hostname ?? deployment.hostname,
        stage: now?.stage ?? deployment.stage,
        deployment,
      };
    })
    .sort((a, b) => numeric.compare(a.hostname, b.hostname));
}
