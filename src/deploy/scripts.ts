// What runs on a node: POSIX sh with grep, awk, tail and setsid, sent over ssh's standard input. Nothing of it is ever put
// on a remote command line; arguments are quoted words of the script itself. Every line for us begins with `weir:`, since a
// node's profile may print what it likes.
import { CONFLICT_LINE, NO_CONFLICT_LINE, READY_LINE } from "./engines.ts";
import { quoteWord } from "./words.ts";

/**
 * A service is a session of its own whose leader notes how the engine ended. Its processes are those of the session, their
 * descendants, and whoever has its mark in the environment (workers that left the session, and lost their parent), never
 * whoever has its port or name. A session's number is not given to another process while one of the session lives; a leader
 * with another start time is a stranger's.
 */
const COMMON = String.raw`
# What a profile printed may have no end of line.
echo
own_locale="$LC_ALL"; LC_ALL=C; export LC_ALL
say() { printf 'weir:%s\n' "$*"; }
state="$XDG_STATE_HOME"; [ -n "$state" ] || state="$HOME/.local/state"
state="$state/weir/deploy/$(uname -n)"
boot=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)
read_process() { { read -r pid start born; IFS= read -r log; } 2>/dev/null <"$state/$1.process"; }
is_living() {
  { IFS= read -r s <"/proc/$1/stat"; } 2>/dev/null || return 1
  set -- "$2" ${"$"}{s##*) }
  [ "$2" != Z ] && [ "$2" != X ] && [ "${"$"}{21}" = "$1" ]
}
marked_by() {
  case $(grep --help 2>&1) in
    # Its grep ends a line at the first NUL.
    *BusyBox*) for f in /proc/[0-9]*/environ; do
      if { tr '\000' '\n' <"$f" | grep -qF "$1"; } 2>/dev/null; then echo "$f"; fi
    done ;;
    *) grep -lF "$1" /proc/[0-9]*/environ 2>/dev/null ;;
  esac
}
family() {
  sid=$1 since=$2
  if [ -d "/proc/$1" ]; then
    { IFS= read -r s <"/proc/$1/stat"; } 2>/dev/null
    set -- "$1" "$2" "$3" ${"$"}{s##*) }
    [ "${"$"}{23}" = "$2" ] || sid=none
  fi
  marked=$(marked_by "WEIR_SERVICE=$3/" | cut -d / -f 3 | tr '\n' ' ')
  for f in /proc/[0-9]*/stat; do
    { IFS= read -r s <"$f"; } 2>/dev/null || continue
    printf '%s %s\n' "${"$"}{s%% *}" "${"$"}{s##*) }"
  done | awk -v sid="$sid" -v born="$since" -v marked="$marked" '
    BEGIN { n = split(marked, list, " "); for (i = 1; i <= n; i++) named[list[i]] = 1 }
    $2 != "Z" && $2 != "X" { parent[$1] = $3; session[$1] = $5; start[$1] = $21 }
    END {
      for (p in parent) if ((session[p] == sid && start[p] >= born) || (p in named)) ours[p] = 1
      do {
        grown = 0
        for (p in parent) if (!(p in ours) && (parent[p] in ours) && start[p] >= born) { ours[p] = 1; grown = 1 }
      } while (grown)
      for (p in ours) printf "%s:%s ", p, start[p]
    }'
}
`;

const LOOK = String.raw`
look() {
  for id; do
    [ -r "$state/$id.about" ] && say "$id about $(cat "$state/$id.about")"
    if ! read_process "$id"; then
      # Its files may have been cleared away under it.
      if [ -n "$(family none 0 "$id")" ]; then say "$id orphaned"; else say "$id missing"; fi
      continue
    fi
    say "$id process $pid $start $born"
    say "$id log $log"
    if [ "$born" != "$boot" ]; then say "$id rebooted"
    elif is_living "$pid" "$start"; then say "$id alive"
    elif [ -n "$(family "$pid" "$start" "$id")" ]; then say "$id orphaned $(cat "$state/$id.exit" 2>/dev/null)"
    else say "$id dead $(cat "$state/$id.exit" 2>/dev/null)"; fi
    [ -r "$log" ] || continue
    # Whatever was said last is meant.
    tr -d '\000' <"$log" | grep -iE ${quoteWord(`${CONFLICT_LINE}|${READY_LINE}`)} | grep -viE ${quoteWord(NO_CONFLICT_LINE)} |
      tail -n 1 | grep -iE ${quoteWord(CONFLICT_LINE)} | cut -c 1-300 | sed "s/^/weir:$id conflict /"
    tr -d '\000' <"$log" | grep -iE ${quoteWord(READY_LINE)} | head -n 1 | cut -c 1-300 | sed "s/^/weir:$id ready /"
    tail -c 8000 "$log" | tr -d '\000' | tr '\r' '\n' | grep -v '^[[:space:]]*$' | tail -n 15 | cut -c 1-500 |
      sed "s/^/weir:$id tail /"
  done
}
`;

const PROBE = String.raw`
main() {
  [ -r /proc/net/tcp ] || { say "- flaw it is no Linux: there is no /proc/net/tcp"; return; }
  for tool in setsid awk grep tail; do
    command -v $tool >/dev/null 2>&1 || { say "- flaw the command $tool is missing there"; return; }
  done
  if command -v nvidia-smi >/dev/null 2>&1; then say "- gpus $(nvidia-smi -L 2>/dev/null | grep -c '^GPU ')"; fi
  awk 'FNR > 1 && $4 != "06" { n = split($2, part, ":"); print "weir:- port " part[n] }' \
    /proc/net/tcp $(ls /proc/net/tcp6 2>/dev/null) | sort -u
  for about in "$state"/*.about; do
    [ -r "$about" ] || continue
    id=${"$"}{about##*/}; look "${"$"}{id%.about}"
  done
}
`;

const LAUNCH = String.raw`
main() {
  id=$1 about=$2 dir=$3 name=$4; shift 4
  case $dir in /*) ;; *) dir="$HOME/$dir" ;; esac
  mkdir -p "$dir" 2>/dev/null || { say "$id flaw cannot make the folder $dir"; return; }
  (umask 077; mkdir -p "$state") 2>/dev/null || { say "$id flaw cannot make the folder $state"; return; }
  log="$dir/$name"
  { : >>"$log"; } 2>/dev/null || { say "$id flaw cannot write $log"; return; }
  export "WEIR_SERVICE=$id/"
  while [ "$1" != -- ]; do export "$1"; shift; done
  shift
  case $1 in env:*)
    env=${"$"}{1#env:}; shift; found=
    for base in "$CONDA_PREFIX" "$HOME"/miniconda3 "$HOME"/anaconda3 "$HOME"/miniforge3 "$HOME"/mambaforge "$HOME"/micromamba \
      "$HOME"/.conda /opt/conda /opt/miniconda3 /opt/anaconda3 /opt/miniforge3; do
      if [ -z "$found" ] && [ -x "$base/envs/$env/bin/python" ]; then found="$base/envs/$env/bin/python"; fi
    done
    [ -n "$found" ] || { say "$id flaw there is no conda environment $env in the usual places"; return; }
    set -- "$found" "$@" ;;
  esac
  command -v "$1" >/dev/null 2>&1 || { say "$id flaw there is no command $1 there; see --python-cmd"; return; }
  rm -f "$state/$id.exit" "$state/$id.process"
  if [ -n "$own_locale" ]; then LC_ALL="$own_locale"; else unset LC_ALL; fi
  printf '%s\n' "$about" >"$state/$id.about" || { say "$id flaw cannot write to $state"; return; }
  setsid sh -c '
    file=$1 boot=$2 log=$3; shift 3
    read -r s <"/proc/$$/stat"; s=${"$"}{s##*) }
    # What cannot be found again must not run.
    printf "%s %s %s\n%s\n" "$$" "$(printf %s "$s" | cut -d " " -f 20)" "$boot" "$log" >"$file.new" &&
      mv "$file.new" "$file.process" || { : >"$file.exit"; exit 1; }
    "$@"
    echo $? >"$file.exit"
  ' sh "$state/$id" "$boot" "$log" "$@" </dev/null >>"$log" 2>&1 &
  n=0
  until [ -e "$state/$id.process" ] || [ -e "$state/$id.exit" ]; do
    n=$((n + 1)); [ $n -le 100 ] || { say "$id flaw its process was not seen within 10 s"; return; }
    sleep 0.1
  done
  [ -e "$state/$id.process" ] || { say "$id flaw cannot write $state/$id.process"; return; }
  look "$id"
}
`;

const END = String.raw`
left() { for each in $all; do is_living "${"$"}{each%:*}" "${"$"}{each#*:}" && return 0; done; return 1; }
send() { for each in $all; do is_living "${"$"}{each%:*}" "${"$"}{each#*:}" && kill -"$1" "${"$"}{each%:*}" 2>/dev/null; done; }
await() { n=0; while left && [ $n -lt "$1" ]; do n=$((n + 1)); sleep 0.2; done; }
living() {
  if ! read_process "$1"; then family none 0 "$1"
  elif [ "$born" = "$boot" ]; then family "$pid" "$start" "$1"; fi
}
gather() { for id in $ids; do all="$all $(living "$id")"; done; }
main() {
  grace=$1; shift; ids="$*"; all=
  gather; send TERM; await $((grace * 5))
  # What was started meanwhile is found, too.
  gather
  if left; then for id in $ids; do say "$id killed"; done; send KILL; await 50; fi
  for id in $ids; do
    rest=$(living "$id")
    if [ -n "$rest" ]; then say "$id left $rest"
    else rm -f "$state/$id.about" "$state/$id.process" "$state/$id.exit"; say "$id stopped"; fi
  done
}
`;

const MAIN_LOOK = `main() { look "$@"; }`;

/** Every script reads nothing: standard input is the script. */
function script(bodies: readonly string[], words: readonly string[]): string {
  const call = ["main", ...words.map(quoteWord)].join(" ");
  return `${[COMMON, ...bodies].join("\n")}\n${call} </dev/null\nsay "- done"\nexit 0\n`;
}

/** GPUs, taken ports, and the services that were started there before. */
export const probeScript = (): string => script([LOOK, PROBE], []);

export const lookScript = (ids: readonly string[]): string => script([LOOK, MAIN_LOOK], ids);

export interface Launch {
  readonly id: string;
  /** One line; kept on the node as it is. */
  readonly about: string;
  readonly logDir: string;
  readonly logName: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly command: readonly string[];
}

export const launchScript = ({ id, about, logDir, logName, environment, command }: Launch): string =>
  script(
    [LOOK, LAUNCH],
    [
      id,
      about,
      logDir,
      logName,
      ...Object.entries(environment).map(([name, value]) => `${name}=${value}`),
      "--",
      ...command,
    ],
  );

/** TERM to every process of the services, KILL to what is left after the grace. */
export const endScript = (ids: readonly string[], graceSeconds: number): string =>
  script([END], [String(Math.ceil(graceSeconds)), ...ids]);
