// The SQL of each platform's read models. tutoring.cpp names the labels.
        .section .rodata
.macro embed label, file
        .global guildhall_\label
        .global guildhall_\label\()_end
guildhall_\label:
        .incbin "\file"
guildhall_\label\()_end:
        .byte 0
.endm
        embed tutoring_roles, sql/tutoring/01_roles.sql
        embed tutoring_auth, sql/tutoring/02_auth.sql
        embed tutoring_control, sql/tutoring/03_control.sql
        embed tutoring_tables, sql/tutoring/10_tables.sql
        embed tutoring_indexes, sql/tutoring/20_indexes.sql
        embed tutoring_policies, sql/tutoring/30_policies.sql
        embed tutoring_views, sql/tutoring/40_views.sql
        .section .note.GNU-stack,"",@progbits
