// The SQL of the read models: what every platform needs, and each platform's own. tutoring.cpp and its like name the labels.
        .section .rodata
.macro embed label, files:vararg
        .global guildhall_\label
        .global guildhall_\label\()_end
guildhall_\label:
.irp file, \files
        .incbin "\file"
.endr
guildhall_\label\()_end:
        .byte 0
.endm
.macro platform name, more_tables, more_indexes
        embed \name\()_tables, sql/accounts.sql, sql/\name\()/10_tables.sql, \more_tables
        embed \name\()_indexes, sql/\name\()/20_indexes.sql, \more_indexes
        embed \name\()_policies, sql/policies.sql, sql/\name\()/30_policies.sql
        embed \name\()_views, sql/\name\()/40_views.sql
.endm
        embed sql_roles, sql/roles.sql
        embed sql_auth, sql/auth.sql
        embed sql_control, sql/control.sql
        platform tutoring
        platform producers_avenue, sql/social_tables.sql, sql/social_indexes.sql
        platform dracarys, sql/social_tables.sql, sql/social_indexes.sql
        .section .note.GNU-stack,"",@progbits
