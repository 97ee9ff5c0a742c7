# Commands of the node for people.
case ":$PATH:" in *:/etc/voevent/bin:*) ;; *) PATH=$PATH:/etc/voevent/bin ;; esac
