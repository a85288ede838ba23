// One deployment: asks the nodes, plans, starts everything at once, and tells how many services are ready.
import { keepBackendFile, upsertRow } from "./backend-file.ts";
import { type NodeReport, askNodes } from "./nodes.ts";
import { runNode } from "./node-run.ts";
import { launchOf, type Order, recordOf, serviceLabel } from "./order.ts";
import { describeGpus, type NodeFacts, type Plan, planFleet, servicesPerNode } from "./plan.ts";
import type { Tally, Tools } from "./service-steps.ts";
import { quoteWord } from "./words.ts";

export type DeployTools = Omit<Tools, "publish">;

/** True when every service that was asked for is ready. */
export async function deploy(order: Order, tools: DeployTools): Promise<boolean> {
  const { progress } = tools;
  const reports = await askNodes(tools.ssh, order.hosts);
  const plan = planFleet(factsOf(reports), order);
  const perNode = servicesPerNode(order);
  const total = order.hosts.length * perNode;
  for (const report of reports) if (report.kind !== "node") progress.say(`${report.host}: ${report.line}`);
  for (const { host, line } of plan.problems) progress.say(`${host}: ${line}`);
  sayUnknownGpus(reports, tools);
  for (const line of planTable(plan)) progress.say(line);
  progress.begin(plan.services.map(serviceLabel));
  let next = Math.max(order.firstPort - 1, ...plan.services.map(({ port }) => port));
  const nextPort = (): number => {
    next += 1;
    return next;
  };
  const publish: Tools["publish"] = (record) => {
    const kept = keepBackendFile(order.backendFile, (text) => upsertRow(text, record, order.backendFile));
    if (kept.kind === "flaw") return kept.flaw;
    for (const note of kept.notes) progress.say(note);
    return undefined;
  };
  const tallies = await Promise.all(
    reports.map(({ urlHost, ...report }): Promise<Tally> => {
      const host = report.kind === "node" ? report.facts.host : report.host;
      const services = plan.services.filter((service) => service.host === host);
      return runNode(order, { host, urlHost, services, nextPort }, { ...tools, publish });
    }),
  );
  const ready = tallies.reduce((sum, tally) => sum + tally.ready, 0);
  progress.close();
  const written = ready === 0 ? "" : ` ${order.backendFile.path} has the rows of those that are.`;
  progress.say(`${ready} of ${total} services are ready, ${total - ready} failed.${written}`);
  return ready === total;
}

const factsOf = (reports: readonly NodeReport[]): readonly NodeFacts[] =>
  reports.flatMap((report) => (report.kind === "node" ? [report.facts] : []));

function sayUnknownGpus(reports: readonly NodeReport[], { progress }: DeployTools): void {
  const hosts = factsOf(reports).flatMap(({ host, gpus }) => (gpus === undefined ? [host] : []));
  if (hosts.length > 0) progress.say(`GPUs not counted, since there is no nvidia-smi: ${hosts.join(", ")}`);
}

function planTable({ services }: Plan): readonly string[] {
  if (services.length === 0) return [];
  const rows = [
    ["NODE", "SERVICE", "GPUS", "PORT"],
    ...services.map(({ host, index, gpus, port }) => [host, String(index), describeGpus(gpus), String(port)]),
  ];
  const widths = [0, 1, 2, 3].map((at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

/** The whole plan as it would be carried out; nothing is started or written. A node that does not answer is planned as empty. */
export async function printPlan(order: Order, tools: DeployTools): Promise<void> {
  const { progress } = tools;
  const reports = await askNodes(tools.ssh, order.hosts);
  const facts = reports.flatMap((report): readonly NodeFacts[] => {
    if (report.kind === "node") return [report.facts];
    const { kind, host, line } = report;
    const isPlanned = kind === "failed";
    progress.say(`${host}: ${line}${isPlanned ? "; planned as if it had the GPUs and every port free" : ""}`);
    const empty = { host, gpus: order.gpusPerNode, takenPorts: new Set<number>(), takenGpus: new Map() };
    return isPlanned ? [empty] : [];
  });
  const plan = planFleet(facts, order);
  for (const { host, line } of plan.problems) progress.say(`${host}: ${line}`);
  sayUnknownGpus(reports, tools);
  for (const line of planTable(plan)) progress.say(line);
  let rows = "";
  for (const service of plan.services) {
    const urlHost = reports[order.hosts.indexOf(service.host)]?.urlHost ?? service.host;
    const record = recordOf(order, { service, urlHost, startedAt: tools.now(), attempt: 0 });
    const { environment, command, logDir, logName } = launchOf(order, record);
    const variables = Object.entries(environment).map(([name, value]) => `${name}=${quoteWord(value)}`);
    progress.say(
      `\n${serviceLabel(service)}, log ${logDir.startsWith("/") ? "" : "~/"}${logDir}/${logName}\n  ${variables.join(" ")} \\`,
    );
    progress.say(`  ${command.map((word) => quoteWord(maskVariable(word))).join(" ")}`);
    const edited = upsertRow(rows, record, order.backendFile);
    if (edited.kind === "text") rows = edited.text;
  }
  if (rows !== "") progress.say(`\n${order.backendFile.path} would get:\n${rows.trimEnd()}`);
  progress.say(`\n${plan.services.length} services would be started. This was a dry run: nothing was.`);
}

/** `env HF_TOKEN=… python3` is a way to give an engine what it needs. */
const maskVariable = (word: string): string =>
  word.replace(/^(\w*(?:TOKEN|KEY|SECRET|PASSWORD)\w*)=.+$/is, "$1=***");
