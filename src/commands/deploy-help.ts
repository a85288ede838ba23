// What `weir help deploy` says besides the sentence: every option, and what happens to services.

export const DEPLOY_USAGE = "[status|stop] --hosts a,b --model-name MODEL --tensor-parallel-size N [options]";

export const DEPLOY_NOTES = `Where (without it, NODE_IP_LIST names the nodes; status and stop know what was started from here):
  --hosts LIST                 nodes with commas between, also user@host and Slurm's node[01-03,07]
  --slurm                      the nodes of SLURM_JOB_NODELIST; no Slurm is needed to read it
  --ssh-command COMMAND        [ssh] your own OpenSSH, with your keys, agent, jump hosts and known hosts
  --parallel N                 [16] ssh calls at once

What:
  --model-name MODEL           a path on the nodes, or a name at a hub
  --served-model-name NAME     [the model's last path segment] what clients ask for
  --tensor-parallel-size N     GPUs of one service; a node gets --gpus-per-node / N services, consecutive GPUs each
  --gpus-per-node N            [8]
  --backend vllm|sglang        [vllm]
  --port N                     [30596] of the first service, counted on over all nodes; taken ones are skipped
  --python-cmd COMMAND         [python3] the interpreter, a command that leads to one ("apptainer exec --nv x.sif python3",
                               "env HF_HOME=/data python3"), or env:NAME for a conda environment
  --extra-args "ARGUMENTS"     for the engine, split as a shell does, nothing expanded. Repeatable; the last one counts
  --max-num-seqs N             requests that one service runs at once; without it the engine's own
  --log-dir DIR                [weir-logs] on the nodes, in the home folder unless it begins with /
  --health-check-timeout TIME  [3600] seconds, or with a unit, until a service must be ready
  --config FILE                [WEIR_CONFIG, weir.yaml, config.yaml] gets a row for each service as soon as it is ready; in
                               weir's own form, or as LiteLLM's or LLMRouter's list where the file is one of theirs
                               (LLMRouter's main file leads to its self_deployed_config.yaml)
  --dry-run                    asks the nodes and prints the whole plan; starts and writes nothing

A service is ready when its log says so and /v1/models names the model. One that fails is stopped, so that its GPUs are free,
and its last log lines are shown; the rest goes on, and the exit code is 1. Ctrl-C stops what is not ready yet and keeps what
is; a second one leaves everything as it is. Rows of the same address keep their weight, limits and comments.

  weir deploy status [--hosts LIST] [--served-model-name NAME]
      up, with its queue; starting, down, or dead and why. Exit code 0 when all are up.
  weir deploy stop [--hosts LIST] [--served-model-name NAME] [--grace 30]
      takes their rows out of the file, waits two seconds for weir to read it, and ends exactly the processes that were
      started: TERM, and KILL after the grace. Both know what was started from here; --hosts asks the nodes themselves.`;
