// The SQL of the read models: what every platform needs, and each platform's own. tutoring.cpp and its like name the labels.
        .section .rodata
.macro embed label, file, then
        .global guildhall_\label
        .global guildhall_\label\()_end
guildhall_\label:
        .incbin "\file"
.ifnb \then
        .incbin "\then"
.endif
guildhall_\label\()_end:
        .byte 0
.endm
.macro platform name
        embed \name\()_tables, sql/\name\()/10_tables.sql
        embed \name\()_indexes, sql/\name\()/20_indexes.sql
        embed \name\()_policies, sql/policies.sql, sql/\name\()/30_policies.sql
        embed \name\()_views, sql/\name\()/40_views.sql
.endm
        embed sql_roles, sql/roles.sql
        embed sql_auth, sql/auth.sql
        embed sql_control, sql/control.sql
        platform tutoring
        platform producers_avenue
        platform dracarys
        .section .note.GNU-stack,"",@progbits
