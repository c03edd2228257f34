# Runs a server until standard input ends, which it does when the test process is gone, however it went.
# usage: wrapper.sh <folder> <signal to stop> <signal at the end> <program> [<argument>...]
folder=$1 stop=$2 end=$3
shift 3
cd "$folder" || exit
"$@" </dev/null >>"$folder/log" 2>&1 &
server=$!

# Sends a signal to the server and the processes that it started.
signal() {
    children=$(cat "/proc/$server/task/$server/children" 2>/dev/null)
    kill "-$1" "$server" 2>/dev/null
    [ -z "$children" ] || kill "-$1" $children 2>/dev/null
}

while read -r word; do
    case $word in
        pause) signal STOP ;;
        resume) signal CONT ;;
        stop) kill "-$stop" "$server"; wait "$server"; echo "$word"; exit ;;
        kill) signal KILL; wait "$server"; echo "$word"; exit ;;
    esac
    echo "$word"
done
signal CONT
kill "-$end" "$server" 2>/dev/null
wait "$server"
rm -rf "$folder"
