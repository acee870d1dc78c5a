# Kills the processes of local Lambda functions when the process that started them is gone and could not do it itself.
# Reads `+<pid>` and `-<pid>`, one a line; the end of the input is the death of the other side. What is killed then is
# what still lives: a pid is taken off the list when its process ends, before it can be given out anew.
trap '' INT TERM HUP
all=' '
while read -r line; do
  pid=${line#?}
  case $line in
    +*) all="$all$pid " ;;
    -*) all="${all%% "$pid" *} ${all#* "$pid" }" ;;
  esac
done
for pid in $all; do
  kill -9 "$pid" 2>/dev/null
done
