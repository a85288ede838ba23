import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openRecords, readRecord } from "../../src/deploy/records.ts";

test("what cannot be written into the record is given as a line, and the record stays as it was", () => {
  const folder = mkdtempSync(join(tmpdir(), "weir-records-"));
  const records = openRecords({ XDG_STATE_HOME: folder, HOME: folder });
  const record = readRecord(
    '{"id":"a","host":"a","index":0,"engine":"vllm","servedName":"m","gpus":[0],"port":1,"url":"u","backendFile":"b","startedAt":"s"}',
  )!;
  expect([records.add(record), records.all()]).toEqual([undefined, [record]]);
  rmSync(join(folder, "weir"), { recursive: true });
  writeFileSync(join(folder, "weir"), "");
  expect(records.add(record)).toStartWith(`cannot read ${records.path}: ENOTDIR`);
  rmSync(folder, { recursive: true });
});
